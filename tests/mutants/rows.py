"""The rules of the protocol as the product has them, each with a way to break it and the test that must notice."""

from __future__ import annotations

from typing import Final, NamedTuple


class Mutant(NamedTuple):
    """One change of one file: `stands`, which occurs in it once, becomes `broken`.

    `test` is a pytest node id; one that ends in `[real…]` runs on the real servers, any other on the embedded ones.
    """

    rule: str  # and, after a colon, what is done instead
    file: str
    stands: str
    broken: str
    test: str


_COMMIT = "self._store.database.commit()\n{0}self._store.database.begin()\n{0}"
_IN_A_METHOD = " " * 8
_MATCHED = "`first` = %s AND `next` = %s AND digest = %s AND state = 'pending'"

_INGEST, _SPLIT, _KEYS = "tasks/ingest.py", "tasks/split.py", "tasks/upload_keys.py"
_T_INGEST, _T_SPLIT, _T_KEYS = (f"tests/tasks/test_{name}.py::test_" for name in ("ingest", "split", "upload_keys"))
_T_STORAGE, _T_KAFKA = (f"tests/pipeline/test_{name}.py::test_" for name in ("storage", "kafka"))
_T_PLAN, _T_LOOP, _T_LOSS, _T_REPAIR, _T_GATHERED = (
    f"tests/consumer/test_{name}.py::test_" for name in ("plan", "loop", "loss", "repair", "gathered")
)
_T_ROWS = "tests/tasks/test_rows.py::test_"
_T_PUBLISHER = "tests/receiver/test_publisher.py::test_"
_T_HOUSEKEEPING = "tests/tasks/test_housekeeping.py::test_"

_RECEIVE: Final = (
    Mutant(
        "202 is said only when Kafka has the upload: once it is handed over",
        "receiver/publisher.py",
        "outcome = await waiter",
        "outcome: Outcome = None",
        _T_PUBLISHER + "nothing_is_said_before_kafka_has_the_record",
    ),
    Mutant(
        "a send that stays unresolved is a 503: waited for without end",
        "receiver/publisher.py",
        "self._loop.time() + self._deadline",
        "self._loop.time() + 3600",
        _T_PUBLISHER + "what_stays_unresolved_is_unknown_and_its_producer_abandoned",
    ),
    Mutant(
        "a producer is abandoned after an unresolved send: it is used on",
        "receiver/publisher.py",
        "self._producers.abandon(producer, why)",
        "pass",
        _T_PUBLISHER + "what_stays_unresolved_is_unknown_and_its_producer_abandoned",
    ),
    Mutant(
        "while another producer is built, uploads are 503 at once: they get the abandoned one",
        "receiver/producers.py",
        "            self._current = None\n            self._abandoned.put(producer)",
        "            self._abandoned.put(producer)",
        "tests/receiver/test_producers.py::test_an_abandoned_producer_is_closed_and_replaced_while_nobody_waits",
    ),
    Mutant(
        "limits follow one another: a record that Kafka never takes is an endless 503",
        "receiver/publisher.py",
        "if isinstance(error, _TOO_LARGE):",
        "if False:",
        _T_PUBLISHER + "a_record_that_kafka_never_takes_is_refused_and_its_producer_kept",
    ),
    Mutant(
        "limits follow one another: the topic takes less than the door does",
        "pipeline/topic.py",
        "settings.max_body_bytes + TOPIC_HEADROOM",
        "settings.max_body_bytes",
        "tests/pipeline/test_topic.py::test_the_topic_takes_what_the_door_takes_and_a_little_more[real]",
    ),
)

_PLAN: Final = (
    Mutant(
        "what was polled is dropped unless the position was next_plan: it is planned again",
        "consumer/gathered.py",
        "records[0].offset < self.position or ",
        "",
        _T_GATHERED + "a_record_from_before_the_position_is_never_taken",
    ),
    Mutant(
        "what was polled while the assignment changed is dropped: it is taken",
        "consumer/loop.py",
        "return  # Whatever came was asked for before we sought.",
        "pass",
        _T_LOOP + "what_was_polled_while_the_assignment_changed_is_dropped",
    ),
    Mutant(
        "a hole in what was polled is believed only right after our own seek: always",
        "consumer/gathered.py",
        "records[0].offset > self.position and not sought",
        "False",
        _T_GATHERED + "a_hole_is_believed_only_right_after_our_own_seek",
    ),
    Mutant(
        "a broker is asked whether the topic is the one that was read: nobody is",
        "consumer/loop.py",
        "if self._admin.identity() != plan.identity:",
        "if False:",
        _T_LOOP + "a_topic_made_again_under_a_live_consumer_is_planned_from_its_beginning[real]",
    ),
    Mutant(
        "a topic that was made again is another stream: the same by its name",
        "consumer/plan.py",
        "        & (Stream.topic_id == identity.topic_id)\n",
        "",
        _T_PLAN + "a_topic_is_one_stream_however_often_it_is_asked_for_and_another_when_made_again",
    ),
    Mutant(
        "a range is planned only where the plan stands at its first offset: wherever it was read",
        "consumer/plan.py",
        "            Progress.next_plan == first,\n",
        "",
        _T_PLAN + "a_planner_whose_position_is_not_the_plan_s_changes_nothing",
    ),
    Mutant(
        "a range is planned only in the plan's generation: in any",
        "consumer/plan.py",
        "            Progress.generation == generation,\n            Progress.next_plan == first,",
        "            Progress.next_plan == first,",
        _T_PLAN + "a_planner_of_another_generation_changes_nothing",
    ),
    Mutant(
        "plan and batch are one transaction: the plan is committed first",
        "consumer/plan.py",
        "            Batch.insert(\n                stream=self.stream,",
        "            " + _COMMIT.format(" " * 12) + "Batch.insert(\n                stream=self.stream,",
        _T_PLAN + "the_plan_and_its_batch_are_one_transaction",
    ),
    Mutant(
        "after an ambiguous commit the plan is looked up: it is planned again",
        "consumer/plan.py",
        'raise Fenced(f"partition {part} is not planned up to {first}")',
        "return",
        _T_PLAN + "a_commit_whose_answer_is_lost_is_found_planned[real]",
    ),
    Mutant(
        "whoever is fenced starts over from MySQL's plan: goes on with what he has",
        "consumer/loop.py",
        "            self._assignment.changed = True\n            return False",
        "            return False",
        _T_LOOP + "somebody_else_who_planned_on_is_followed_and_nothing_comes_twice[real]",
    ),
    Mutant(
        "counting never raises: what is no JSON does",
        "pipeline/batch.py",
        "except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):",
        "except RecursionError:",
        "tests/pipeline/test_batch.py::test_a_record_counts_for_what_its_header_says_unless_that_cannot_be",
    ),
    Mutant(
        "a header that says how many lines there are is believed as far as the value could hold them: always",
        "pipeline/batch.py",
        "and int(declared) <= len(record.value)",
        "",
        "tests/pipeline/test_batch.py::test_a_record_counts_for_what_its_header_says_unless_that_cannot_be",
    ),
    Mutant(
        "a record waits for a second at the most: until a batch is full",
        "consumer/gathered.py",
        "now - self.since >= patience",
        "False",
        _T_GATHERED + "a_batch_is_due_when_it_is_full_or_its_oldest_record_has_waited",
    ),
    Mutant(
        "a batch is left to fill for a moment, where records come fast: until it is full or a second has passed",
        "consumer/gathered.py",
        " and (waited(gathered, now) or 0.0) < FILLING",
        "",
        _T_GATHERED + "a_batch_is_not_waited_for_once_its_oldest_record_has_waited",
    ),
    Mutant(
        "a batch is left to fill where records come fast since the last one was planned: since the start",
        "consumer/loop.py",
        "self._planned_at = now",
        "pass",
        _T_LOOP + "idle_workers_get_what_there_is_unless_it_comes_so_fast_that_a_batch_fills",
    ),
    Mutant(
        "a digest is over each record's offset: over what it holds alone",
        "pipeline/batch.py",
        "(record.offset, -1 if value is None",
        "(0, -1 if value is None",
        "tests/pipeline/test_batch.py::test_a_digest_means_the_same_in_every_version",
    ),
    Mutant(
        "a partition rests from the limit until half of it is done: at the limit alone",
        "consumer/gathered.py",
        "(was_paused and pending > limit // 2)",
        "False",
        _T_GATHERED + "a_partition_rests_at_the_limit_until_half_of_it_is_done",
    ),
    Mutant(
        "back-pressure is judged in every loop: on the edge alone",
        "consumer/gathered.py",
        "pending >= limit",
        "pending == limit",
        _T_GATHERED + "a_partition_rests_at_the_limit_until_half_of_it_is_done",
    ),
    Mutant(
        "no more is planned than may be pending: all that was read",
        "consumer/loop.py",
        "if self._pending.get(part, 0) < self._settings.max_pending]",
        "]",
        _T_LOOP + "a_partition_with_too_much_pending_rests_until_half_of_it_is_done[real]",
    ),
    Mutant(
        "a partition goes on where MySQL's plan ends: where Kafka's committed offset says",
        "consumer/loop.py",
        "self._consumer.seek(partition, self._gathered[part].position)",
        "pass",
        _T_LOOP + "resetting_the_group_s_offsets_to_the_beginning_and_to_the_end_changes_nothing[real]",
    ),
    Mutant(
        "a client resets to nothing by itself: to the log's beginning",
        "pipeline/kafka.py",
        'auto_offset_reset="none"',
        'auto_offset_reset="earliest"',
        _T_KAFKA + "a_range_that_the_log_no_longer_holds_is_said[real]",
    ),
    Mutant(
        "Kafka is told the least pending offset: what is planned",
        "consumer/plan.py",
        "{**dict(ends.tuples()), **dict(pending.tuples())}",
        "dict(ends.tuples())",
        _T_PLAN + "the_watermark_is_the_least_pending_batch_s_first_else_the_plan_s_end",
    ),
    Mutant(
        "Kafka is told the least pending offset: what was read",
        "consumer/loop.py",
        'OffsetAndMetadata(offset, "", -1) for part, offset in watermarks.items()',
        'OffsetAndMetadata(self._gathered[part].position, "", -1) for part in watermarks',
        _T_LOOP + "what_is_done_is_committed_as_advice[real]",
    ),
    Mutant(
        "a plan that went back, as a backup's does, is followed: only once something comes",
        "consumer/loop.py",
        "self._plan.require_at(",
        "dict(",
        _T_LOOP + "a_database_that_was_restored_is_followed_though_nothing_new_comes[real]",
    ),
)

_EXECUTE: Final = (
    Mutant(
        "a batch is done only by who finds it pending: by whoever has a message",
        _INGEST,
        _MATCHED,
        "`first` = %s AND `next` = %s AND digest = %s",
        _T_INGEST + "three_workers_at_once_store_a_batch_once",
    ),
    Mutant(
        "no claim, no effect: the rows are written without it",
        _INGEST,
        "if not claimed.rowcount:",
        "if False:",
        _T_INGEST + "three_workers_at_once_store_a_batch_once",
    ),
    Mutant(
        "a claim compares the whole range: only where it begins",
        _INGEST,
        _MATCHED,
        "`first` = %s AND `next` > 0 * %s AND digest = %s AND state = 'pending'",
        _T_INGEST + "a_message_that_does_not_name_the_batch_exactly_changes_nothing",
    ),
    Mutant(
        "a claim compares the topic's id: its name alone",
        _INGEST,
        "topic = %s AND topic_id = %s",
        "topic = %s AND topic_id <> CONCAT(%s, 'x')",
        _T_INGEST + "a_message_that_does_not_name_the_batch_exactly_changes_nothing",
    ),
    Mutant(
        "a batch is done of the records that its digest is of: of whatever stands in its range",
        _INGEST,
        "if batch.digest(records).hex() != order.digest:",
        "if False:",
        _T_INGEST + "what_a_log_holds_instead_of_what_was_planned_is_not_stored",
    ),
    Mutant(
        "claim and rows are one transaction: the claim is committed first",
        _INGEST,
        'self._checkpoint("actor.claimed")',
        _COMMIT.format(_IN_A_METHOD) + 'self._checkpoint("actor.claimed")',
        _T_INGEST + "a_failure_inside_the_transaction_leaves_nothing_behind",
    ),
    Mutant(
        "claim and rows are one transaction: the rows are committed before their counts",
        _INGEST,
        'self._checkpoint("actor.rows")',
        _COMMIT.format(_IN_A_METHOD) + 'self._checkpoint("actor.rows")',
        _T_INGEST + "a_failure_inside_the_transaction_leaves_nothing_behind",
    ),
    Mutant(
        "the four counts are the batch's lines, or the transaction aborts: it is committed",
        _INGEST,
        "if sum(counts.values()) != claim.lines:",
        "if False:",
        _T_SPLIT + "a_single_record_whose_counts_do_not_add_up_is_a_dead_letter_and_the_ledger_balances",
    ),
    Mutant(
        "an actor does not raise: what nobody foresaw is raised",
        _INGEST,
        'except Exception:\n            log.exception("left pending"',
        'except ArithmeticError:\n            log.exception("left pending"',
        _T_INGEST + "an_actor_never_raises_and_leaves_the_batch_pending",
    ),
    Mutant(
        "only what was committed is read: also what was aborted",
        "pipeline/kafka.py",
        'isolation_level="read_committed"',
        'isolation_level="read_uncommitted"',
        _T_KAFKA + "offsets_of_transactions_are_holes_and_what_was_aborted_is_not_read[real]",
    ),
    Mutant(
        "a range ends where the position is past it: where its last offset was read",
        "pipeline/kafka.py",
        "if (records and records[-1].offset >= after - 1) or (self._consumer.position(partition) or 0) >= after:",
        "if records and records[-1].offset >= after - 1:",
        _T_KAFKA + "offsets_of_transactions_are_holes_and_what_was_aborted_is_not_read[real]",
    ),
    Mutant(
        "statements are cut at 4 MiB: by the number of their rows alone",
        "tasks/dead_letters.py",
        "len(chunk) == CHUNK or size > CHUNK_BYTES",
        "len(chunk) == CHUNK",
        _T_INGEST + "large_lines_that_are_refused_are_kept_within_what_the_server_takes[real]",
    ),
)

_UPLOAD_KEYS: Final = (
    Mutant(
        "an upload is known by its API key, too: by key and body",
        _KEYS,
        "(upload.api_key, upload.key, upload.body)",
        "(upload.key, upload.body)",
        _T_KEYS + "identities_tell_key_body_and_owner_apart",
    ),
    Mutant(
        "an upload is known by its body, too: a key used again is a loss",
        _KEYS,
        "(upload.api_key, upload.key, upload.body)",
        "(upload.api_key, upload.key)",
        _T_INGEST + "a_key_used_again_with_another_body_is_another_upload",
    ),
    Mutant(
        "each part of an identity has its length: they run into each other",
        _KEYS,
        "state.update(len(part).to_bytes(8))",
        "pass",
        _T_KEYS + "identities_tell_key_body_and_owner_apart",
    ),
    Mutant(
        "of several of one identity in a record the first counts: all do",
        _KEYS,
        "firsts[identity, offset := records[place.record].offset] is not place",
        "(offset := records[place.record].offset) < 0",
        _T_KEYS + "of_several_of_one_identity_in_a_record_the_first_counts",
    ),
    Mutant(
        "no upload has less than a line and two brackets: lies that cancel out are believed",
        "pipeline/uploads.py",
        "if any(upload.lines < 1 or upload.bytes < 2 for upload in uploads):",
        "if False:",
        "tests/pipeline/test_uploads.py::test_lies_that_cancel_out_are_told",
    ),
    Mutant(
        "a record is believed what it says of its uploads where that fits: also where it does not",
        "pipeline/uploads.py",
        "if (sum(upload.lines for upload in uploads), size) != (lines, len(value)):",
        "if False:",
        "tests/pipeline/test_uploads.py::test_what_does_not_fit_what_it_says_of_itself_is_one_upload_without_a_key",
    ),
    Mutant(
        "keys are inserted, then looked at: looked at first",
        _KEYS,
        """\
        inserted = store.execute(
            f"INSERT""",
        """\
        standing = store.execute(
            f"SELECT identity, stream, part, generation, `offset` FROM upload_key"
            f" WHERE identity IN ({', '.join(['%s'] * len(chunk))})",
            [identity for identity, _ in chunk],
        ).fetchall()
        owners |= {bytes(row[0]): row[1:] for row in standing}
        inserted = len(chunk)
        store.execute(
            f"INSERT""",
        _T_INGEST + "two_workers_with_twins_in_two_batches_count_one_of_them[real]",
    ),
    Mutant(
        "keys are looked at where any was there before: where all were",
        _KEYS,
        "if inserted < len(chunk):",
        "if not inserted:",
        _T_INGEST + "an_upload_sent_again_with_its_key_counts_once_in_one_batch_and_in_two",
    ),
    Mutant(
        "an upload counts for the record that came first: for the last",
        _KEYS,
        "f\"INSERT {'' if store.is_mysql else 'OR '}IGNORE INTO upload_key\"",
        '"REPLACE INTO upload_key"',
        _T_INGEST + "an_upload_sent_again_with_its_key_counts_once_in_one_batch_and_in_two",
    ),
    Mutant(
        "a record counts only where the key names its offset: where it names the partition",
        _KEYS,
        "owners[identity] != (stream, order.part, order.generation, offset)",
        "owners[identity][:3] != (stream, order.part, order.generation)",
        _T_INGEST + "an_upload_sent_again_with_its_key_counts_once_in_one_batch_and_in_two",
    ),
    Mutant(
        "a key names the generation of its record: the offset alone",
        _KEYS,
        "owners[identity] != (stream, order.part, order.generation, offset)",
        "owners[identity][:2] + owners[identity][3:] != (stream, order.part, offset)",
        _T_KEYS + "what_survived_a_cut_log_is_a_twin_at_its_own_offset_too",
    ),
    Mutant(
        "keys are kept as long as a retry may come: pruned at once",
        "tasks/housekeeping.py",
        "timedelta(seconds=given.key_window)",
        "timedelta(0)",
        _T_HOUSEKEEPING + "keys_go_after_their_window",
    ),
    Mutant(
        "keys wait for the oldest record that is still to be counted: they are as old as they are",
        "tasks/housekeeping.py",
        "freshness.counted_up_to(store)",
        "present(store)",
        _T_HOUSEKEEPING + "keys_wait_for_the_oldest_pending_batch",
    ),
    Mutant(
        "batches are pruned below the watermark: wherever they are old",
        "tasks/housekeeping.py",
        "            ~fn.EXISTS(holding_back),\n",
        "",
        _T_HOUSEKEEPING + "a_pending_batch_holds_back_those_after_it_in_its_partition",
    ),
    Mutant(
        "pruned batches' counts are added in the same transaction: in one before it",
        "tasks/housekeeping.py",
        "            Batch.delete().where(Batch.id.in_([row.id",
        "            store.database.commit()\n            store.database.begin()\n"
        "            Batch.delete().where(Batch.id.in_([row.id",
        _T_HOUSEKEEPING + "a_pruning_that_fails_in_its_midst_counts_nothing_twice",
    ),
)

_POISON: Final = (
    Mutant(
        "what the pure stage raises is poison: it stays pending",
        _INGEST,
        "raise Poison(repr(error)) from error",
        "raise",
        _T_SPLIT + "a_record_that_makes_the_pure_stage_raise_is_a_dead_letter_and_all_others_are_stored",
    ),
    Mutant(
        "a value that MySQL does not take is poison: it stays pending",
        _INGEST,
        "if error_code(error) in _DATA:",
        "if False:",
        _T_SPLIT + "a_value_that_the_database_refuses_is_poison[real]",
    ),
    Mutant(
        "what MariaDB would load as something else is refused: it is stored",
        "pipeline/storage.py",
        "if warnings:",
        "if False:",
        _T_ROWS + "what_mariadb_would_load_as_something_else_is_refused[real-no-time]",
    ),
    Mutant(
        "a load is as many rows as were sent: more are stored",
        "pipeline/storage.py",
        "if taken != length:",
        "if False:",
        _T_ROWS + "what_mariadb_would_load_as_something_else_is_refused[real-a-row-more]",
    ),
    Mutant(
        "a split takes from the batch what it gives away: the batch stays as it is",
        _SPLIT,
        "Batch.update(**of_piece, dispatched_at=store.now())",
        "Batch.update(dispatched_at=store.now())",
        _T_SPLIT + "old_messages_of_a_split_batch_change_nothing",
    ),
    Mutant(
        "only what is pending is split: also what is done",
        _SPLIT,
        '(Batch.id == id, Batch.next == order.next, Batch.state == "pending")',
        "(Batch.id == id,)",
        _T_SPLIT + "splitting_a_batch_that_is_done_changes_nothing",
    ),
    Mutant(
        "a record that is buried counts once with its twin: twice",
        _SPLIT,
        "twins = upload_keys.twins(store, order, whole.stream, [record], upload_keys.identities([record]))",
        "twins: list[Place] = []",
        _T_SPLIT + "an_upload_whose_one_record_is_poison_counts_once_with_its_twin",
    ),
    Mutant(
        "a letter of a shared record has the uploads that are no twins: all",
        _SPLIT,
        'if twins else record.value or b""',
        'if not record else record.value or b""',
        _T_SPLIT + "of_a_record_that_is_poison_such_uploads_are_rejected_as_are_no_twins",
    ),
    Mutant(
        "a batch whose worker vanished five times is split: sent again without end",
        _INGEST,
        "if counted and claim.attempts > ATTEMPTS:",
        "if False:",
        _T_INGEST + "a_batch_whose_worker_vanishes_five_times_is_split_and_one_record_alone_is_dead[real]",
    ),
    Mutant(
        "an attempt is counted before the work: nothing is known of who vanished",
        _INGEST,
        "attempts=Batch.attempts + more",
        "attempts=Batch.attempts",
        _T_INGEST + "a_batch_whose_worker_vanishes_five_times_is_split_and_one_record_alone_is_dead[real]",
    ),
    Mutant(
        "whoever can say what failed has not vanished: it counts as vanished",
        _INGEST,
        "+= 1\n                self._store.write(partial(self._attempt, claim, -1))\n",
        "+= 1\n",
        _T_INGEST + "a_transaction_that_fails_for_a_while_makes_no_batch_suspect[real]",
    ),
)

_TRANSACTIONS: Final = (
    Mutant(
        "any exception closes the connection: only the database's own",
        "pipeline/storage.py",
        "            except BaseException:\n                self.disconnect()\n",
        "            except BaseException:\n",
        _T_STORAGE + "an_exception_leaves_nothing_behind_and_the_next_transaction_works",
    ),
    Mutant(
        "a transaction is retried on another connection: on the one that failed",
        "pipeline/storage.py",
        "except _OF_THE_SERVER as last:\n                self.disconnect()\n",
        "except _OF_THE_SERVER as last:\n",
        _T_STORAGE + "a_connection_killed_in_a_transaction_is_retried_as_a_whole[real-True]",
    ),
    Mutant(
        "a transaction that waited for a lock is retried: it fails",
        "pipeline/storage.py",
        "RETRIED = frozenset({1205, ",
        "RETRIED = frozenset({",
        _T_STORAGE + "a_lock_wait_undoes_the_whole_transaction_before_it_is_run_again[real]",
    ),
    Mutant(
        "a transaction in a deadlock is retried: it fails",
        "pipeline/storage.py",
        "1213, 1020, 2006, 2013})",
        "1020, 2006, 2013})",
        _T_STORAGE + "of_two_transactions_in_a_deadlock_both_commit[real]",
    ),
    Mutant(
        "a session is READ COMMITTED: REPEATABLE READ",
        "pipeline/database.py",
        "ISOLATION LEVEL READ COMMITTED",
        "ISOLATION LEVEL REPEATABLE READ",
        _T_STORAGE + "every_session_is_strict_in_utc_and_read_committed[real]",
    ),
    Mutant(
        "a frozen worker's session ends in 20 s: in eight hours",
        "pipeline/database.py",
        "wait_timeout = {WAIT_TIMEOUT}",
        "wait_timeout = 28800",
        _T_STORAGE + "a_connection_idle_for_longer_than_the_server_allows_is_replaced_before_use[real]",
    ),
    Mutant(
        "SQLite's writers begin IMMEDIATE: deferred",
        "pipeline/storage.py",
        '() if self.is_mysql else ("IMMEDIATE",)',
        "()",
        _T_STORAGE + "a_writer_that_reads_first_waits_for_another_writer",
    ),
)

_REPAIR: Final = (
    Mutant(
        "what stays pending is sent again: never",
        "consumer/repair.py",
        "messages.enqueue(self._broker, messages.ingest(stale.range, again=True))",
        "pass",
        _T_REPAIR + "a_pending_batch_is_sent_again_after_five_seconds_and_not_before",
    ),
    Mutant(
        "a message that is sent again says so: as if it were the first",
        "consumer/repair.py",
        "again=True",
        "again=False",
        _T_REPAIR + "a_pending_batch_is_sent_again_after_five_seconds_and_not_before",
    ),
    Mutant(
        "only what is pending is looked for: everything, and what is done stands before it",
        "consumer/repair.py",
        '.where(Batch.state == "pending", Batch.dispatched_at',
        ".where(Batch.dispatched_at",
        _T_REPAIR + "more_than_a_pass_looks_at_of_what_nobody_here_can_work_on_keeps_nothing_waiting",
    ),
    Mutant(
        "only what is still pending is sent again: what was when it was looked for",
        "consumer/repair.py",
        'mine = (Batch.id == stale.id, Batch.state == "pending", ',
        "mine = (Batch.id == stale.id, ",
        _T_REPAIR + "what_ends_between_the_look_and_the_message_is_not_sent",
    ),
    Mutant(
        "of two repairs one sends: both",
        "consumer/repair.py",
        'Batch.state == "pending", Batch.dispatched_at == stale.dispatched_at)',
        'Batch.state == "pending")',
        _T_REPAIR + "two_repairs_send_a_batch_once",
    ),
    Mutant(
        "a batch that somebody works on is skipped: the pass ends there",
        "consumer/repair.py",
        "if error_code(error) in _LOCKED:",
        "if False:",
        _T_REPAIR + "a_batch_that_a_worker_holds_is_left_to_it_without_waiting[real]",
    ),
    Mutant(
        "a batch is sent again less and less often: every five seconds",
        "consumer/repair.py",
        "min(wait * 2, PATIENCE_LIMIT)",
        "wait",
        _T_REPAIR + "the_wait_doubles_up_to_half_a_minute",
    ),
    Mutant(
        "a pass sends sixteen messages at the most: all",
        "consumer/repair.py",
        "[:MESSAGES_A_PASS]",
        "",
        _T_REPAIR + "a_pass_sends_sixteen_messages_at_the_most_and_the_next_comes_at_once",
    ),
    Mutant(
        "what Redis forgot is sent again at once: as late as anything else",
        "consumer/repair.py",
        "return before is not None and before != found",
        "return False",
        _T_REPAIR + "what_redis_forgot_is_sent_again_at_once",
    ),
    Mutant(
        "the sentinel is set before what Redis forgot is sent: after it",
        "consumer/repair.py",
        "            self._send(stale)\n        # A full pass",
        "            self._send(stale)\n        self._forgotten()\n        # A full pass",
        _T_REPAIR + "a_redis_that_forgets_once_more_while_all_is_sent_again_is_noticed",
    ),
)

_LOSS: Final = (
    Mutant(
        "the record at the mark is read again at each assignment: it is believed",
        "consumer/truncation.py",
        "not _held(reader, part, mark)",
        "False",
        _T_LOSS + "a_log_that_was_cut_and_grew_again_goes_on_as_another_generation",
    ),
    Mutant(
        "what is pending of a cut log is lost: it stays pending",
        "consumer/plan.py",
        "return give_up(self._store, Batch.stream == self.stream, Batch.part == part)",
        "return 0",
        _T_PLAN + "a_new_generation_begins_at_the_log_s_beginning_and_what_was_pending_is_lost",
    ),
    Mutant(
        "what retention took before it was planned is a lost range: it stays unplanned",
        "consumer/truncation.py",
        "if planned.next_plan < beginning:",
        "if False:",
        _T_LOSS + "what_retention_took_before_it_was_planned_is_written_off[real]",
    ),
    Mutant(
        "what retention took of a pending batch is lost: it stays pending",
        "consumer/loss.py",
        "        self._retained(identity)\n",
        "",
        _T_LOSS + "a_pending_batch_that_retention_passed_is_lost_with_its_lines[real]",
    ),
    Mutant(
        "what was pending of a topic that is gone is lost: it stays pending",
        "consumer/loss.py",
        "self._bury(same_name & (Stream.topic_id != identity.topic_id))",
        "pass",
        _T_LOSS + "a_topic_made_again_ends_the_old_stream_and_all_that_waited_in_it",
    ),
    Mutant(
        "what a worker gets done meanwhile is not lost: it is counted as lost",
        "consumer/plan.py",
        "(batches.for_update() if store.is_mysql else batches)",
        "batches",
        _T_PLAN + "what_is_done_while_a_batch_is_given_up_is_not_lost[real]",
    ),
)

MUTANTS: Final = (*_RECEIVE, *_PLAN, *_EXECUTE, *_UPLOAD_KEYS, *_POISON, *_TRANSACTIONS, *_REPAIR, *_LOSS)
