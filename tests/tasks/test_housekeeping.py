"""What housekeeping deletes, what it must not, and that the ledger does not notice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pipeline import ledger
from pipeline.errors import Unavailable
from pipeline.models import (
    Batch,
    DeadLetter,
    LedgerMinute,
    LogEntry,
    Progress,
    RequestRollup,
    Stream,
    UploadKey,
    VisitorRollup,
)
from pipeline.settings import Settings
from pipeline.storage import Store
from tasks import housekeeping
from tests.stores import Seen, empty, put

GIVEN = Settings()
NOW = datetime.now(UTC).replace(tzinfo=None)
DAY = timedelta(days=1)


def add_batch(store: Store, first: int, state: str = "done", age: timedelta = 3 * DAY, **more: Any) -> None:
    """A batch of 10 lines; a done one has 4 stored, 3 discarded, 2 rejected, 1 duplicate."""
    at = NOW - age
    row = {"stream": 1, "part": 0, "generation": 0, "first": first, "next": first + 1, "lines": 10}
    row |= {"digest": bytes(16), "state": state, "oldest_at": at, "planned_at": at, "dispatched_at": at}
    if state == "done":
        row |= {"done_at": at, "stored": 4, "discarded": 3, "rejected": 2, "duplicate": 1}
    store.write(lambda: Batch.insert(row | more).execute())


def firsts(store: Store) -> list[int]:
    """Which batches there are."""
    return store.read(lambda: [row.first for row in Batch.select().order_by(Batch.first)])


def test_old_batches_move_into_the_ledger(store: Store) -> None:
    add_batch(store, 1)
    add_batch(store, 2, "lost")
    add_batch(store, 3, age=DAY)
    before = ledger.read(store)
    assert not housekeeping.run(store, GIVEN, "batches")
    assert firsts(store) == [3]
    assert ledger.read(store) == before
    assert before.balanced
    assert (before.received, before.stored, before.lost) == (30, 8, 10)


def test_a_pending_batch_holds_back_those_after_it_in_its_partition(store: Store) -> None:
    add_batch(store, 1)
    add_batch(store, 2, "pending")
    add_batch(store, 3)
    add_batch(store, 4, part=1)
    housekeeping.run(store, GIVEN, "batches")
    assert firsts(store) == [2, 3]


def test_a_batch_that_was_done_late_stays_for_two_days_more(store: Store) -> None:
    add_batch(store, 1, done_at=NOW - DAY)
    housekeeping.run(store, GIVEN, "batches")
    assert firsts(store) == [1]


_batches = st.lists(
    st.tuples(
        st.sampled_from(["done", "done", "lost", "pending"]),
        st.timedeltas(timedelta(0), 4 * DAY),
        st.integers(0, 2),
        st.tuples(*[st.integers(0, 10**6)] * 4),
    ),
    max_size=25,
)


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(planned=_batches, chunk=st.integers(1, 9))
def test_no_range_of_minutes_sees_a_pruning(store: Store, planned: list[Any], chunk: int) -> None:
    empty(store)
    for first, (state, age, part, counts) in enumerate(planned):
        known = dict(zip(("stored", "discarded", "rejected", "duplicate"), counts, strict=True))
        more = {**known, "lines": sum(counts)} if state == "done" else {"lines": counts[0]}
        add_batch(store, first, state, age, part=part, **more)
    minute = (NOW - 3 * DAY).replace(second=0, microsecond=0)
    windows = [(None, None), (minute, None), (None, minute), (minute - DAY, minute + DAY)]
    before = [ledger.read(store, *window) for window in windows]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(housekeeping, "CHUNK", chunk)
        housekeeping.run(store, GIVEN, "batches")
    assert [ledger.read(store, *window) for window in windows] == before
    assert all(one.balanced for one in before)
    left = store.read(lambda: list(Batch.select()))
    for row in (row for row in left if row.state != "pending" and row.planned_at < NOW - 2 * DAY):
        assert any(other.state == "pending" and other.part == row.part and other.first < row.first for other in left)


def test_two_prunings_at_once_count_nothing_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for first in range(60):
        add_batch(store, first)
    before = ledger.read(store)
    monkeypatch.setattr(housekeeping, "CHUNK", 7)

    def work() -> None:
        housekeeping.run(store, GIVEN, "batches")
        store.disconnect()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while housekeeping.run(store, GIVEN, "batches"):
        pass
    assert firsts(store) == []
    assert ledger.read(store) == before


def test_a_pruning_that_fails_in_its_midst_counts_nothing_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add_batch(store, 1)
    before = ledger.read(store)

    def fail() -> None:
        raise Unavailable("database", "away")

    with monkeypatch.context() as failing:
        failing.setattr(Batch, "delete", fail)
        housekeeping.run(store, GIVEN, "batches")
    assert firsts(store) == [1]
    assert ledger.read(store) == before
    housekeeping.run(store, GIVEN, "batches")
    assert firsts(store) == []
    assert ledger.read(store) == before


def test_a_run_is_bounded_and_says_that_more_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for first in range(5):
        add_batch(store, first)
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    times = iter([0.0, housekeeping.PATIENCE])
    assert housekeeping.run(store, GIVEN, "batches", clock=lambda: next(times))
    assert len(firsts(store)) == 3


def add_keys(store: Store, *ages: timedelta) -> None:
    """An upload key of each age; the identity says which."""
    rows = [
        {"identity": bytes([n] * 16), "stream": 1, "part": 0, "generation": 0, "offset": n, "received": NOW - age}
        for n, age in enumerate(ages)
    ]
    store.write(lambda: UploadKey.insert_many(rows).execute())


def kept_keys(store: Store) -> list[int]:
    """The offsets of the keys that are left."""
    return sorted(store.read(lambda: [row.offset for row in UploadKey.select()]))


def add_progress(
    store: Store,
    end_offset: int,
    mark_age: timedelta | None,
    state: str = "live",
    seen_age: timedelta = timedelta(0),
) -> None:
    """A partition that is planned up to offset 5, whose log ended at `end_offset` when a consumer saw it last."""

    def work() -> None:
        stream = Stream.insert(cluster_id="c", topic="t", topic_id="i", state=state).execute()
        mark = None if mark_age is None else int((NOW - mark_age).replace(tzinfo=UTC).timestamp() * 1000)
        Progress.insert(
            stream=stream,
            part=0,
            generation=0,
            next_plan=5,
            end_offset=end_offset,
            mark_time=mark,
            seen_at=NOW - seen_age,
        ).execute()

    store.write(work)


def test_keys_go_after_their_window(store: Store) -> None:
    add_keys(store, 1.1 * DAY, 0.9 * DAY)
    add_progress(store, end_offset=5, mark_age=3 * DAY)
    assert not housekeeping.run(store, GIVEN, "keys")
    assert kept_keys(store) == [1]


def test_keys_wait_for_the_oldest_pending_batch(store: Store) -> None:
    add_keys(store, 4 * DAY, 2.5 * DAY)
    add_batch(store, 1, "pending", age=2 * DAY)
    housekeeping.run(store, GIVEN, "keys")
    assert kept_keys(store) == [1]


def test_keys_wait_for_the_oldest_record_that_is_not_planned(store: Store) -> None:
    add_keys(store, 4 * DAY, 2.5 * DAY)
    add_progress(store, end_offset=6, mark_age=2 * DAY)
    housekeeping.run(store, GIVEN, "keys")
    assert kept_keys(store) == [1]


def test_keys_wait_for_what_may_have_come_since_the_consumer_looked_last(store: Store) -> None:
    add_keys(store, 4 * DAY, 2.5 * DAY)
    add_progress(store, end_offset=5, mark_age=5 * DAY, seen_age=2 * DAY)
    housekeeping.run(store, GIVEN, "keys")
    assert kept_keys(store) == [1]


def test_no_key_goes_while_nobody_knows_how_old_the_unplanned_is(store: Store) -> None:
    add_keys(store, 9 * DAY)
    add_progress(store, end_offset=6, mark_age=None)
    housekeeping.run(store, GIVEN, "keys")
    assert kept_keys(store) == [0]


def test_a_topic_that_is_gone_holds_no_key(store: Store) -> None:
    add_keys(store, 9 * DAY)
    add_progress(store, end_offset=6, mark_age=None, state="gone")
    housekeeping.run(store, GIVEN, "keys")
    assert kept_keys(store) == []


def test_minutes_go_after_nine_days_hours_after_a_hundred_days_never(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ages = (8 * DAY, 10 * DAY, 99 * DAY, 101 * DAY)
    put(store, [Seen((NOW - age).replace(tzinfo=UTC), status=status) for age in ages for status in (200, 404, 500)])
    monkeypatch.setattr(housekeeping, "CHUNK", 4)
    assert not housekeeping.run(store, GIVEN, "rollups")

    def buckets(model: Any, level: int) -> int:
        return store.read(lambda: len({row.bucket for row in model.select().where(model.level == level)}))

    assert [buckets(RequestRollup, level) for level in (60, 3600, 86400)] == [1, 3, 4]
    assert [buckets(VisitorRollup, level) for level in (300, 3600, 86400)] == [1, 3, 4]


def test_rows_and_dead_letters_go_after_their_days(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, [Seen((NOW - age * DAY).replace(tzinfo=UTC)) for age in (1, 29, 31, 32, 33, 34)])

    def bury() -> None:
        for age in (1, 31):
            letter = {"stream": 1, "part": 0, "offset": 0, "reason": "time", "detail": "", "payload": b"x"}
            DeadLetter.insert(letter | {"created_at": NOW - age * DAY}).execute()

    store.write(bury)
    monkeypatch.setattr(housekeeping, "CHUNK", 3)
    assert not housekeeping.run(store, GIVEN, "rows")
    assert store.read(lambda: [LogEntry.select().count(), DeadLetter.select().count()]) == [2, 1]


def test_old_lines_that_came_lately_stay_until_their_batch_is_pruned(store: Store) -> None:
    add_batch(store, 1)
    put(store, [Seen((NOW - 500 * DAY).replace(tzinfo=UTC))])
    store.write(lambda: LogEntry.update(batch=Batch.select(Batch.id)).execute())
    housekeeping.run(store, GIVEN, "rows")
    assert store.read(LogEntry.select().count) == 1
    housekeeping.run(store, GIVEN, "batches")
    housekeeping.run(store, GIVEN, "rows")
    assert store.read(LogEntry.select().count) == 0


def test_a_job_that_fails_is_logged_and_not_raised(tmp_path: Any) -> None:
    nothing = Store.open(f"sqlite:///{tmp_path / 'not-migrated.db'}")
    with capture_logs() as logs:
        assert housekeeping.run(nothing, GIVEN, "rows") is False
        assert housekeeping.run(nothing, GIVEN, "no such job") is False
    assert [(entry["event"], entry["job"]) for entry in logs] == [
        ("housekeeping failed", "rows"),
        ("housekeeping failed", "no such job"),
    ]
    nothing.disconnect()


def test_the_ledger_adds_up_minutes_of_both_kinds(store: Store) -> None:
    add_batch(store, 1, age=timedelta(0))
    minute = NOW.replace(second=0, microsecond=0)
    sums = {"received": 7, "stored": 1, "discarded": 1, "rejected": 1, "duplicate": 1, "lost": 3}
    store.write(lambda: LedgerMinute.insert(minute=minute, **sums).execute())
    found = ledger.read(store, minute, minute + timedelta(minutes=1))
    assert (found.received, found.lost, found.balanced) == (17, 3, True)
    assert ledger.read(store, minute + timedelta(minutes=1)).received == 0
