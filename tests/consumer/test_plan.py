"""The plan: ranges become batches once, whoever tries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from consumer.plan import Mark, Plan, give_up
from pipeline import batch, ledger
from pipeline.errors import Fenced, Unavailable
from pipeline.models import Batch, Progress, Stream
from pipeline.storage import Store
from pipeline.topic import Identity
from tests.records import TIME_MS, Rec, line, upload
from tests.stores import beside, session

IDENTITY = Identity("cluster", "raw-logs", "topic-id", 3)


@pytest.fixture
def plan(store: Store) -> Plan:
    """The plan of a stream that was not seen before."""
    return Plan.of(store, IDENTITY)


def uploads(first: int, count: int = 2) -> list[Rec]:
    return [upload(first + n, [line(path=f"/{first + n}")] * 3) for n in range(count)]


def add(plan: Plan, part: int, first: int, records: list[Rec]) -> batch.Range:
    return plan.add(part, 0, first, records, sum(map(batch.lines, records)))


def batches(store: Store) -> list[tuple[int, int, int, int, int, str]]:
    columns = (Batch.part, Batch.generation, Batch.first, Batch.next, Batch.lines, Batch.state)
    return store.read(lambda: list(Batch.select(*columns).order_by(Batch.part, Batch.first, Batch.id).tuples()))


def test_a_topic_is_one_stream_however_often_it_is_asked_for_and_another_when_made_again(store: Store) -> None:
    streams = [Plan.of(store, IDENTITY).stream for _ in range(3)]
    grown = Plan.of(store, Identity("cluster", "raw-logs", "topic-id", 9)).stream
    again = Plan.of(store, Identity("cluster", "raw-logs", "another", 3)).stream
    elsewhere = Plan.of(store, Identity("cluster-2", "raw-logs", "topic-id", 3)).stream
    assert {*streams, grown} == {streams[0]}
    assert len({streams[0], again, elsewhere}) == 3
    assert Plan.of(store, IDENTITY).stream == streams[0]


def test_a_stream_that_is_gone_is_not_planned(store: Store, plan: Plan) -> None:
    store.write(lambda: Stream.update(state="gone").where(Stream.id == plan.stream).execute())
    with pytest.raises(Unavailable):
        Plan.of(store, IDENTITY)


def test_a_new_partition_starts_at_the_log_s_beginning_and_goes_on_where_it_was_planned_up_to(plan: Plan) -> None:
    assert plan.planned(0, 17).next_plan == 17
    assert plan.planned(0, 99).next_plan == 17
    add(plan, 0, 17, uploads(17))
    found = plan.planned(0, 0)
    assert (found.next_plan, found.generation) == (19, 0)
    assert found.mark == Mark.of(uploads(17)[-1])


def test_adding_plans_a_batch_and_moves_the_plan_past_it(store: Store, plan: Plan) -> None:
    plan.planned(1, 5)
    records = [uploads(7, 1)[0], uploads(9, 1)[0]]
    order = add(plan, 1, 5, records)
    assert order == batch.Range("topic-id", 1, 0, 5, 10, batch.digest(records).hex())
    assert batches(store) == [(1, 0, 5, 10, 6, "pending")]
    assert plan.planned(1, 0).next_plan == 10
    row = store.read(Batch.get)
    assert (bytes(row.digest).hex(), row.attempts, row.done_at) == (order.digest, 0, None)
    assert row.oldest_at == datetime.fromtimestamp(TIME_MS / 1000, UTC).replace(tzinfo=None)


@pytest.mark.parametrize("stale", [0, 1, 3, 4])
def test_a_planner_whose_position_is_not_the_plan_s_changes_nothing(store: Store, plan: Plan, stale: int) -> None:
    plan.planned(0, 0)
    add(plan, 0, 0, uploads(0))
    before = (batches(store), plan.planned(0, 0))
    with pytest.raises(Fenced):
        add(plan, 0, stale, uploads(4))
    assert (batches(store), plan.planned(0, 0)) == before


def test_a_planner_of_another_generation_changes_nothing(store: Store, plan: Plan) -> None:
    plan.planned(0, 0)
    with pytest.raises(Fenced):
        plan.add(0, 1, 0, uploads(0), 6)
    assert batches(store) == []


def test_a_partition_nobody_asked_about_is_not_planned(store: Store, plan: Plan) -> None:
    with pytest.raises(Fenced):
        add(plan, 2, 0, uploads(0))
    assert batches(store) == []


def test_the_plan_and_its_batch_are_one_transaction(store: Store, plan: Plan) -> None:
    plan.planned(0, 0)
    add(plan, 0, 0, uploads(0))
    # A batch that stands where the next one is to stand: the insert fails after the plan has moved.
    store.write(lambda: Batch.update(first=2).execute())
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        add(plan, 0, 2, uploads(2))
    assert plan.planned(0, 0).next_plan == 2


def test_two_planners_who_race_plan_each_range_once(store: Store, plan: Plan) -> None:
    plan.planned(0, 0)
    start, fenced = threading.Barrier(2), []

    def race() -> None:
        mine = Plan(store, plan.stream, IDENTITY)
        start.wait()
        while (at := mine.planned(0, 0).next_plan) < 40:
            try:
                add(mine, 0, at, uploads(at))
            except Fenced:
                fenced.append(at)
        store.disconnect()

    threads = [threading.Thread(target=race) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row[2:4] for row in batches(store)] == [(at, at + 2) for at in range(0, 40, 2)]
    assert ledger.read(store).received == 20 * 6


def test_what_is_done_while_a_batch_is_given_up_is_not_lost(store: Store, plan: Plan) -> None:
    plan.planned(0, 0)
    for first in (0, 2):
        add(plan, 0, first, uploads(first))
    claimed, given_up = threading.Event(), []

    def give() -> None:
        claimed.wait()
        given_up.append(store.write(lambda: give_up(store, Batch.part == 0)))
        store.disconnect()

    def finish() -> None:
        Batch.update(state="done").where(Batch.first == 0).execute()
        claimed.set()
        time.sleep(0.3)  # The other reads, or waits to.

    thread = threading.Thread(target=give)
    thread.start()
    store.write(finish)
    thread.join()
    assert given_up == [6]
    assert [row[-1] for row in batches(store)] == ["done", "lost"]


def test_the_watermark_is_the_least_pending_batch_s_first_else_the_plan_s_end(store: Store, plan: Plan) -> None:
    for part in (0, 1, 2):
        plan.planned(part, 0)
    for first in (0, 2, 4):
        add(plan, 0, first, uploads(first))
    add(plan, 1, 0, uploads(0))
    store.write(lambda: Batch.update(state="done").where(Batch.part == 1).execute())
    assert plan.watermarks([0, 1, 2]) == {0: 0, 1: 2, 2: 0}
    store.write(lambda: Batch.update(state="done").where(Batch.first << (0, 4)).execute())
    assert plan.watermarks([0, 1]) == {0: 2, 1: 2}
    store.write(lambda: Batch.update(state="lost").where(Batch.first == 2).execute())
    assert plan.watermarks([0, 7]) == {0: 6}
    assert plan.pending() == {}


def test_pending_counts_this_stream_s_batches_by_partition(store: Store, plan: Plan) -> None:
    other = Plan.of(store, Identity("cluster", "raw-logs", "another", 3))
    for part, first in ((0, 0), (0, 2), (2, 0)):
        plan.planned(part, 0)
        add(plan, part, first, uploads(first))
    other.planned(0, 0)
    add(other, 0, 0, uploads(0))
    assert plan.pending() == {0: 2, 2: 1}
    assert other.watermarks([0]) == {0: 0}


def test_known_ends_of_the_log_only_grow_and_are_what_is_not_planned(store: Store, plan: Plan) -> None:
    plan.planned(0, 0)
    plan.note_ends({0: 10, 5: 3})
    plan.note_ends({0: 7})
    plan.note_ends({})
    assert [(one.partition, one.records) for one in ledger.read(store).not_planned] == [(0, 10)]
    add(plan, 0, 0, uploads(0))
    assert [one.records for one in ledger.read(store).not_planned] == [8]


def test_what_retention_took_before_it_was_planned_is_a_lost_range(store: Store, plan: Plan) -> None:
    plan.planned(0, 3)
    plan.lose(0, 0, 3, 50)
    assert batches(store) == [(0, 0, 3, 50, 0, "lost")]
    assert plan.planned(0, 0).next_plan == 50
    with pytest.raises(Fenced):
        plan.lose(0, 0, 3, 60)
    add(plan, 0, 50, uploads(50))
    assert ledger.read(store).balanced


def test_a_new_generation_begins_at_the_log_s_beginning_and_what_was_pending_is_lost(store: Store, plan: Plan) -> None:
    plan.planned(0, 0)
    plan.planned(1, 0)
    for first in (0, 2):
        add(plan, 0, first, uploads(first))
    add(plan, 1, 0, uploads(0))
    store.write(lambda: Batch.update(state="done", stored=6).where(Batch.first == 0, Batch.part == 0).execute())
    plan.regenerate(0, 0, 1)
    found = plan.planned(0, 0)
    assert (found.generation, found.next_plan, found.mark) == (1, 1, None)
    plan.add(0, 1, 1, uploads(1), 6)
    assert [(row[0], row[1], row[2], row[5]) for row in batches(store)] == [
        (0, 0, 0, "done"),
        (0, 1, 1, "pending"),
        (0, 0, 2, "lost"),
        (1, 0, 0, "pending"),
    ]
    with pytest.raises(Fenced):
        plan.regenerate(0, 0, 1)
    assert ledger.read(store).balanced


@pytest.mark.parametrize("timestamp", [-1, 0, 2**63 - 1, TIME_MS * 1000])
def test_a_producer_s_clock_cannot_stop_the_plan(store: Store, plan: Plan, timestamp: int) -> None:
    plan.planned(0, 0)
    add(plan, 0, 0, [Rec(0, b"x", timestamp=timestamp)])
    assert 1970 <= store.read(Batch.get).oldest_at.year <= 2099
    assert plan.planned(0, 0).mark == Mark.of(Rec(0, b"x", timestamp=timestamp))


@pytest.mark.real_only
@pytest.mark.parametrize("statement", [1, 2])
def test_a_connection_lost_while_planning_does_not_plan_twice(
    store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    plan.planned(0, 0)
    _kill_after(store, monkeypatch, statement)
    add(plan, 0, 0, uploads(0))
    assert [row[2:4] for row in batches(store)] == [(0, 2)]
    assert plan.planned(0, 0).next_plan == 2


@pytest.mark.real_only
def test_a_commit_whose_answer_is_lost_is_found_planned(
    store: Store, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.planned(0, 0)
    commit = store.database.commit
    lost: list[int] = []

    def commit_and_break() -> None:
        commit()
        if not lost:
            lost.append(1)
            _kill_own(store)
            store.execute("SELECT 1")

    monkeypatch.setattr(store.database, "commit", commit_and_break)
    with pytest.raises(Fenced):
        add(plan, 0, 0, uploads(0))
    assert [row[2:4] for row in batches(store)] == [(0, 2)]
    assert plan.planned(0, 0).next_plan == 2


def _kill_own(store: Store) -> None:
    """Ends this thread's connection from another session."""
    beside(store, f"KILL {session(store)}")


def _kill_after(store: Store, monkeypatch: pytest.MonkeyPatch, statement: int) -> None:
    """Loses the connection once, after the so-manieth statement that changes something."""
    execute: Callable[..., object] = store.database.execute_sql
    seen: list[str] = []

    def execute_then_break(sql: str, *arguments: object, **named: object) -> object:
        cursor = execute(sql, *arguments, **named)
        if sql.startswith(("UPDATE `progress`", "INSERT INTO `batch`")):
            seen.append(sql)
            if len(seen) == statement:
                _kill_own(store)
        return cursor

    monkeypatch.setattr(store.database, "execute_sql", execute_then_break)


def test_progress_is_a_row_a_partition(store: Store, plan: Plan) -> None:
    for part in (0, 1):
        plan.planned(part, 4)
        plan.planned(part, 5)
    rows = store.read(lambda: [(r.part, r.next_plan, r.end_offset) for r in Progress.select().order_by(Progress.part)])
    assert rows == [(0, 4, 4), (1, 4, 4)]
