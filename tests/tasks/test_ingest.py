"""The ingest actor: a batch counts once, whatever happens while it is executed."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline import batch
from pipeline.batch import Range
from pipeline.checkpoint import VARIABLE, nowhere
from pipeline.errors import RangeChanged, Unavailable
from pipeline.models import Batch, DeadLetter, LogEntry, UploadKey
from pipeline.storage import Store
from tasks import ingest, upload_keys
from tasks.ingest import ATTEMPTS, Ingest
from tests.records import Rec, line, shared, upload
from tests.servers import ROOT
from tests.tasks.batches import Log, consistent

STEPS = ("actor.read", "actor.claimed", "actor.rows", "actor.written", "actor.committed")


def mixed(first: int, count: int = 8, key: str | None = None) -> list[Rec]:
    """Uploads with lines of every class, over two days."""
    statuses = itertools.cycle([200, 404, 500, 200, 301])
    return [
        upload(
            first + n,
            [
                *(
                    line(next(statuses), path=f"/{first + n}/{m}", time=f"2025-06-1{m % 2}T23:{n:02}:59Z", latency=m)
                    for m in range(6)
                ),
                line(next(statuses), ip="2001:db8::1", method="PROPFIND"),
                "not a line",
                None,
            ],
            key=None if key is None else f"{key}-{n}",
        )
        for n in range(count)
    ]


def test_a_batch_becomes_rows_rollups_dead_letters_and_counts(store: Store) -> None:
    log = Log(store)
    records = mixed(0)
    log.actor()(log.planned(records), again=False)
    found = consistent(store)
    assert (found.received, found.rejected, found.pending) == (72, 16, 0)
    assert found.stored + found.discarded == 56
    assert found.stored == sum(
        record.value.count(b" 404 ") + record.value.count(b" 500 ") + record.value.count(b" 301 ")
        for record in records
        if record.value
    )


def test_a_row_says_which_batch_it_came_from(store: Store) -> None:
    log, actor = Log(store), Log(store).actor()
    actor = log.actor()
    for first in (0, 10):
        actor(log.planned(mixed(first)), again=False)
    batches = store.read(lambda: {row.id: row.stored for row in Batch.select()})
    rows = store.read(lambda: [row.batch for row in LogEntry.select()])
    assert {batch: rows.count(batch) for batch in set(rows)} == batches


def test_three_workers_at_once_store_a_batch_once(store: Store) -> None:
    log = Log(store)
    orders = [log.planned(mixed(first, key="k")) for first in range(0, 50, 10)]
    actor, start = log.actor(), threading.Barrier(3)

    def work() -> None:
        start.wait()
        for order in orders:
            actor(order, again=True)
        store.disconnect()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.drain(actor)
    found = consistent(store)
    assert (found.received, found.duplicate, found.pending) == (5 * 72, 0, 0)


@pytest.mark.parametrize("change", ["first", "next", "digest", "generation", "part", "topic_id"])
def test_a_message_that_does_not_name_the_batch_exactly_changes_nothing(store: Store, change: str) -> None:
    log = Log(store)
    order = log.planned(mixed(3))
    other = {"first": 2, "next": order.next + 1, "digest": "00" * 16, "generation": 1, "part": 1, "topic_id": "other"}
    log.actor()(msgspec.structs.replace(order, **{change: other[change]}), again=True)
    assert consistent(store).pending == 72


def test_another_topic_s_message_changes_nothing(store: Store) -> None:
    log = Log(store)
    log.actor(topic="other")(log.planned(mixed(0)), again=False)
    assert consistent(store).pending == 72


def test_an_upload_sent_again_with_its_key_counts_once_in_one_batch_and_in_two(store: Store) -> None:
    log = Log(store)
    once = mixed(0, count=1, key="k")[0]
    twins = [replace(once, offset=offset) for offset in range(5)]
    actor = log.actor()
    actor(log.planned(twins[:3]), again=False)
    actor(log.planned(twins[3:4]), again=False)
    actor(log.planned(twins[4:], part=1), again=False)
    found = consistent(store)
    assert (found.received, found.duplicate) == (45, 36)
    assert store.read(lambda: UploadKey.select().count()) == 1


def test_of_uploads_in_one_record_each_counts_once_also_when_it_comes_alone_or_among_others(store: Store) -> None:
    log = Log(store)
    actor = log.actor()
    one, other, third = [line(path="/1"), line(200)], [line(path="/2")], [line(path="/3"), line(500), line(301)]
    actor(log.planned([upload(0, one, key="k")]), again=False)
    actor(log.planned([shared(1, (one, "k"), (other, "k"), (third, None), (other, "k")), Rec(2, None)]), again=False)
    actor(log.planned([upload(3, other, key="k"), shared(4, (third, None), (third, "l"), (one, "k"))]), again=False)
    found = consistent(store)
    assert (found.received, found.stored, found.discarded, found.duplicate) == (18, 11, 1, 6)
    paths = store.read(lambda: sorted(row.path for row in LogEntry.select()))
    assert [paths.count(path) for path in ("/1", "/2", "/3")] == [1, 1, 3]


def test_a_record_that_does_not_fit_what_it_says_of_its_uploads_counts_without_their_keys(store: Store) -> None:
    log = Log(store)
    honest = shared(0, ([line()], "k"), ([line(500)], "l"))
    said = tuple((name, b"[]" if name == "uploads" else value) for name, value in honest.headers)
    actor = log.actor()
    actor(log.planned([replace(honest, offset=n, headers=said) for n in range(2)]), again=False)
    assert consistent(store).stored == 4


def test_a_key_used_again_with_another_body_is_another_upload(store: Store) -> None:
    log = Log(store)
    records = [upload(0, [line()], key="k"), upload(1, [line(500)], key="k"), upload(2, [line()], key="l")]
    log.actor()(log.planned(records), again=False)
    found = consistent(store)
    assert (found.stored, found.duplicate) == (3, 0)


def test_a_duplicate_is_all_of_its_record_also_what_is_rejected_or_lies(store: Store) -> None:
    log = Log(store)
    lying = upload(0, [line(), line()], key="lying", declared=5)
    whole = Rec(2, b"not json", (("key", b"x"),))
    log.actor()(log.planned([lying, replace(lying, offset=1), whole, replace(whole, offset=3)]), again=False)
    found = consistent(store)
    assert (found.received, found.rejected, found.duplicate, found.stored) == (12, 6, 6, 0)
    assert store.read(lambda: DeadLetter.select().count()) == 2


def test_two_workers_with_twins_in_two_batches_count_one_of_them(store: Store) -> None:
    log = Log(store)
    for first in range(0, 40, 4):
        twin = mixed(first, count=2, key=f"twin-{first}")
        here = log.planned(twin, part=0)
        there = log.planned([replace(record, offset=record.offset) for record in reversed_offsets(twin)], part=1)
        actor, start = log.actor(), threading.Barrier(2)

        def work(order: Range, actor: Ingest = actor, start: threading.Barrier = start) -> None:
            start.wait()
            actor(order, again=False)
            store.disconnect()

        threads = [threading.Thread(target=work, args=(order,)) for order in (here, there)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    log.drain(log.actor())
    found = consistent(store)
    assert found.received == 2 * found.duplicate == 10 * 2 * 2 * 9


def reversed_offsets(records: list[Rec]) -> list[Rec]:
    """The same uploads in the other order: whoever does not sort its keys deadlocks."""
    return [replace(record, offset=at.offset) for record, at in zip(reversed(records), records, strict=True)]


def test_more_keys_than_a_statement_takes_are_all_looked_at(store: Store) -> None:
    log = Log(store)
    records = [upload(n, [line(path=f"/{n}")], key=f"{n}") for n in range(upload_keys.CHUNK + 50)]
    actor = log.actor()
    actor(log.planned(records), again=False)
    actor(log.planned([replace(record, offset=record.offset + 2000) for record in records]), again=False)
    found = consistent(store)
    assert (found.stored, found.duplicate) == (len(records), len(records))


def test_what_a_log_holds_instead_of_what_was_planned_is_not_stored(store: Store) -> None:
    log = Log(store)
    order = log.planned(mixed(0))
    changed = [*mixed(0)[:-1], upload(7, [line()])]
    log.actor(read=lambda *_: changed)(order, again=False)
    log.actor(read=lambda *_: mixed(0)[:-1])(order, again=False)
    log.actor(read=lambda *_: [])(order, again=False)
    assert consistent(store).pending == 72
    log.actor()(order, again=False)
    assert consistent(store).pending == 0


@pytest.mark.parametrize("error", [Unavailable("kafka", "away"), RangeChanged("gone"), OSError("odd"), KeyError("odd")])
def test_an_actor_never_raises_and_leaves_the_batch_pending(store: Store, error: Exception) -> None:
    log = Log(store)
    order = log.planned(mixed(0))

    def read(*_: int) -> list[Rec]:
        raise error

    log.actor(read=read)(order, again=True)
    assert consistent(store).pending == 72


@pytest.mark.parametrize(
    ("discarded", "stored"), [(frozenset({200}), 3), (frozenset(), 5), (frozenset({200, 404, 500, 301}), 0)]
)
def test_the_rule_decides_what_is_stored(store: Store, discarded: frozenset[int], stored: int) -> None:
    log = Log(store)
    order = log.planned([upload(0, [line(status) for status in (200, 200, 301, 404, 500)])])
    log.actor(discarded=discarded)(order, again=False)
    found = consistent(store)
    assert (found.stored, found.discarded) == (stored, 5 - stored)


def test_a_batch_without_a_single_line_is_done(store: Store) -> None:
    log = Log(store)
    log.actor()(log.planned([Rec(0, None), upload(1, []), upload(2, [], key="k")]), again=False)
    found = consistent(store)
    assert (found.received, found.pending) == (0, 0)


def test_large_lines_that_are_refused_are_kept_within_what_the_server_takes(store: Store) -> None:
    log = Log(store)
    quotes = "'" * 60_000
    records = [upload(n, [quotes] * 30) for n in range(12)]
    log.actor()(log.planned(records), again=False)
    found = consistent(store)
    assert (found.rejected, found.pending) == (360, 0)
    assert store.read(lambda: DeadLetter.select().count()) == 360


class Vanished(BaseException):
    """What a worker does that is killed."""


def vanishing(at: str) -> Callable[[str], None]:
    def checkpoint(step: str) -> None:
        if step == at:
            raise Vanished

    return checkpoint


@pytest.mark.real_only
def test_a_batch_whose_worker_vanishes_five_times_is_split_and_one_record_alone_is_dead(store: Store) -> None:
    log = Log(store)
    log.planned(mixed(0, count=4))
    for _ in range(3 * (ATTEMPTS + 1)):
        for order in log.pending():
            deadly = order.first <= 2 < order.next
            actor = log.actor(
                checkpoint=vanishing("actor.claimed") if deadly else nowhere,
                survives=lambda *_, deadly=deadly: not deadly,
            )
            with contextlib.suppress(Vanished):
                actor(order, again=True)
    found = consistent(store)
    assert (found.pending, found.rejected) == (0, 9 + 3 * 2)
    letters = store.read(lambda: list(DeadLetter.select().where(DeadLetter.reason == "poison")))
    assert [(row.offset, row.detail) for row in letters] == [(2, "its worker vanished 5 times")]


@pytest.mark.real_only
def test_a_kafka_that_is_away_for_long_makes_no_batch_suspect(store: Store) -> None:
    log = Log(store)
    order = log.planned(mixed(0, count=1))

    def read(*_: int) -> list[Rec]:
        raise Unavailable("kafka", "away")

    for _ in range(2 * ATTEMPTS):
        log.actor(read=read)(order, again=True)
    log.actor()(order, again=True)
    assert (consistent(store).pending, consistent(store).rejected) == (0, 2)


@pytest.mark.real_only
def test_a_transaction_that_fails_for_a_while_makes_no_batch_suspect(store: Store) -> None:
    log = Log(store)
    order = log.planned(mixed(0, count=1))

    def checkpoint(step: str) -> None:
        if step == "actor.rows":
            raise Unavailable("database", "lock wait")

    for _ in range(2 * ATTEMPTS):
        log.actor(checkpoint=checkpoint)(order, again=True)
    log.actor()(order, again=True)
    assert (consistent(store).pending, consistent(store).rejected) == (0, 2)


@pytest.mark.real_only
def test_a_database_that_is_gone_before_the_attempt_is_taken_back_makes_no_batch_suspect(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(store)
    order = log.planned(mixed(0, count=1))
    attempt = Ingest._attempt

    def away_when_taking_back(self: Ingest, claim: Any, more: int) -> Any:
        if more == -1:
            raise Unavailable("database", "away")
        return attempt(self, claim, more)

    def checkpoint(step: str) -> None:
        if step == "actor.rows":
            raise Unavailable("database", "away")

    monkeypatch.setattr(Ingest, "_attempt", away_when_taking_back)
    actor = log.actor(checkpoint=checkpoint)
    for _ in range(2 * ATTEMPTS):
        actor(order, again=True)
    log.actor()(order, again=True)
    assert (consistent(store).pending, consistent(store).rejected) == (0, 2)


def test_lines_that_lie_far_apart_become_several_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MINUTES", 5)
    log = Log(store)
    records = [upload(n, [line(time=f"2025-06-{10 + n}T10:{m:02}:00Z") for m in range(4)]) for n in range(8)]
    log.planned(records)
    log.drain(log.actor())
    assert (consistent(store).stored, consistent(store).rejected) == (32, 0)
    assert store.read(Batch.select().count) == 8


def test_a_failure_inside_the_transaction_leaves_nothing_behind(store: Store) -> None:
    log = Log(store)
    order = log.planned(mixed(0, key="k"))
    for step in STEPS[1:4]:
        with pytest.raises(Vanished):
            log.actor(checkpoint=vanishing(step))(order, again=False)
        assert consistent(store).pending == 72
        assert store.read(lambda: UploadKey.select().count()) == 0
    log.actor()(order, again=False)
    assert consistent(store).pending == 0


CRASHING = """
import pickle, sys
from pathlib import Path
from pipeline import checkpoint
from pipeline.routes import Routes
from pipeline.storage import Store
from tasks.admission import Admission
from tasks.ingest import Ingest
from tasks.metrics import Metrics
from tasks.templates import Templates
from tasks.trial import survived

url, file = sys.argv[1:]
order, records = pickle.loads(Path(file).read_bytes())
store = Store.open(url)
rules = frozenset({200}), Templates(Routes.of("")), Admission(store, 1_000)
actor = Ingest(store, "raw-logs", lambda *_: records, print, *rules, Metrics(), survived, checkpoint.from_environment())
actor(order, False)
"""


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_changes_no_total(store: Store, database: str, tmp_path: Path, step: str) -> None:
    log = Log(store)
    order = log.planned(mixed(0, key="k"))
    file = tmp_path / "batch"
    file.write_bytes(pickle.dumps((order, log.records[0])))
    argv: list[Any] = [sys.executable, "-c", CRASHING, database, str(file)]
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT), VARIABLE: step}
    done = subprocess.run(argv, env=environment, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert consistent(store).pending == (0 if step == "actor.committed" else 72)
    log.actor()(order, again=True)
    found = consistent(store)
    assert (found.received, found.rejected, found.duplicate, found.pending) == (72, 16, 0, 0)
    assert batch.digest(log.records[0]).hex() == order.digest


@pytest.mark.real_only
def test_a_batch_that_waited_has_ids_after_those_that_did_not(store: Store) -> None:
    log = Log(store)
    late, early = (log.planned([upload(0, [line(404, path=f"/{part}")])], part=part) for part in range(2))

    def checkpoint(step: str) -> None:
        if step == "actor.claimed":
            with ThreadPoolExecutor(1) as beside:
                beside.submit(log.actor(), early, again=False).result()
                beside.submit(store.disconnect).result()

    log.actor(checkpoint=checkpoint)(late, again=False)
    assert [path for _, path in numbered(store)] == ["/1", "/0"]


def test_lines_that_are_not_stored_leave_no_gap_among_the_ids(store: Store) -> None:
    log = Log(store)
    for part in range(3):
        log.actor()(log.planned(mixed(0, key="same") + mixed(8), part=part), again=False)
    ids = [id for id, _ in numbered(store)]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def numbered(store: Store) -> list[tuple[int, str]]:
    """The ids and paths of all rows, by id."""
    return store.read(lambda: list(LogEntry.select(LogEntry.id, LogEntry.path).order_by(LogEntry.id).tuples()))
