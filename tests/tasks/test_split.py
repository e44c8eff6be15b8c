"""Poison: one bad record costs itself and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from pipeline import batch
from pipeline.batch import Range
from pipeline.errors import Poison
from pipeline.models import Batch, DeadLetter, LogEntry
from pipeline.storage import Store
from tasks import ingest
from tasks.frame import Parsed, parse
from tasks.split import split
from tests.records import Rec, line, upload
from tests.tasks.batches import Log, consistent

BAD = 5


@pytest.fixture
def poisonous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the pure stage raise for the record at offset BAD."""

    def parse_or_raise(records: Sequence[Any]) -> Parsed:
        if any(record.offset == BAD for record in records):
            raise ZeroDivisionError("a bug of ours")
        return parse(records)

    monkeypatch.setattr(ingest, "parse", parse_or_raise)


def uploads(count: int, first: int = 0) -> list[Rec]:
    return [upload(n, [line(path=f"/{n}"), line(200), "bad"], key=f"{n}") for n in range(first, first + count)]


@pytest.mark.usefixtures("poisonous")
@pytest.mark.parametrize("count", [6, 7, 13])
def test_a_record_that_makes_the_pure_stage_raise_is_a_dead_letter_and_all_others_are_stored(
    store: Store, count: int
) -> None:
    log = Log(store)
    log.planned(uploads(count))
    log.drain(log.actor())
    found = consistent(store)
    assert (found.received, found.stored, found.discarded) == (3 * count, count - 1, count - 1)
    assert (found.rejected, found.pending) == (count - 1 + 3, 0)
    letters = store.read(lambda: list(DeadLetter.select().where(DeadLetter.reason == "poison")))
    assert [(row.offset, row.line_index, bytes(row.payload)) for row in letters] == [
        (BAD, None, uploads(1, BAD)[0].value)
    ]
    assert "a bug of ours" in letters[0].detail


@pytest.mark.usefixtures("poisonous")
def test_old_messages_of_a_split_batch_change_nothing(store: Store) -> None:
    log = Log(store)
    old = log.planned(uploads(8))
    actor = log.actor()
    actor(old, again=False)
    halves = log.pending()
    assert [(order.first, order.next) for order in halves] == [(0, 4), (4, 8)]
    actor(old, again=True)
    assert log.pending() == halves
    split(store, old, store.read(lambda: Batch.get(Batch.first == 0).id), log.records[0], Poison("again"))
    assert log.pending() == halves


@pytest.mark.usefixtures("poisonous")
def test_halves_are_planned_as_if_they_had_always_been(store: Store) -> None:
    log = Log(store)
    log.actor()(log.planned(uploads(8)), again=False)
    rows = store.read(lambda: list(Batch.select().order_by(Batch.first)))
    for row in rows:
        records = log.read(0, row.first, row.next)
        assert bytes(row.digest) == batch.digest(records)
        assert (row.lines, row.attempts, row.state) == (sum(map(batch.lines, records)), 0, "pending")
    assert rows[0].planned_at == rows[1].planned_at
    assert rows[0].oldest_at == rows[1].oldest_at
    assert log.plan.planned(0, 0).next_plan == 8


@pytest.mark.usefixtures("poisonous")
def test_offsets_with_holes_are_split_without_losing_any(store: Store) -> None:
    log = Log(store)
    records = [Rec(offset, uploads(1, offset)[0].value) for offset in (BAD, 20, 31)]
    first = log.plan.planned(0, 2).next_plan
    log.records[0] = records
    log.plan.add(0, 0, first, records, 9)
    log.drain(log.actor())
    found = consistent(store)
    assert (found.stored, found.rejected, found.pending) == (2, 2 + 3, 0)
    ranges = store.read(lambda: list(Batch.select(Batch.first, Batch.next).order_by(Batch.first).tuples()))
    assert ranges[0][0] == 2
    assert ranges[-1][1] == 32
    assert all(one[1] == other[0] for one, other in itertools.pairwise(ranges))


def test_counts_that_do_not_add_up_are_the_data_s_fault_and_end(store: Store) -> None:
    log = Log(store)
    log.planned(uploads(4))
    store.write(lambda: Batch.update(lines=99).execute())
    log.drain(log.actor())
    found = consistent(store)
    assert (found.pending, found.stored) == (0, 4)


def test_a_single_record_whose_counts_do_not_add_up_is_a_dead_letter_and_the_ledger_balances(store: Store) -> None:
    log = Log(store)
    log.planned(uploads(1))
    store.write(lambda: Batch.update(lines=99).execute())
    log.drain(log.actor())
    found = consistent(store)
    assert (found.pending, found.rejected, found.received) == (0, 99, 99)


@pytest.mark.real_only
def test_a_value_that_the_database_refuses_is_poison(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse_too_much(records: Sequence[Any]) -> Parsed:
        parsed = parse(records)
        return parsed._replace(
            frame=parsed.frame.with_columns(path=parsed.frame["path"].str.replace("/5", "/" + "x" * 3000))
        )

    monkeypatch.setattr(ingest, "parse", parse_too_much)
    log = Log(store)
    log.planned(uploads(9))
    log.drain(log.actor())
    found = consistent(store)
    assert (found.pending, found.stored, found.rejected) == (0, 8, 8 + 3)
    assert store.read(lambda: LogEntry.select().where(LogEntry.path.contains("xxx")).count()) == 0


def test_splitting_a_batch_that_is_done_changes_nothing(store: Store) -> None:
    log = Log(store)
    order: Range = log.planned(uploads(4))
    log.actor()(order, again=False)
    id = store.read(lambda: Batch.get().id)
    split(store, order, id, log.records[0], Poison("late"))
    split(store, order, id, log.records[0][:1], Poison("late"))
    assert consistent(store).stored == 4
    assert store.read(lambda: Batch.select().count()) == 1
