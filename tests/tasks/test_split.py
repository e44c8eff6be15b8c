"""Poison: one bad record costs itself and nothing else."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from pipeline import batch
from pipeline.batch import Range
from pipeline.errors import Poison, Unavailable
from pipeline.models import Batch, DeadLetter, LogEntry
from pipeline.storage import Store
from tasks import ingest
from tasks.frame import Parsed, parse
from tasks.split import around, culprits, split
from tests.records import Rec, line, shared, upload
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
@pytest.mark.parametrize(("before", "rejected", "duplicate"), [("", 6, 0), ("k", 4, 2), ("kl", 2, 4), ("klm", 0, 6)])
def test_of_a_record_that_is_poison_such_uploads_are_rejected_as_are_no_twins(
    store: Store, before: str, rejected: int, duplicate: int
) -> None:
    log = Log(store)
    of = {key: [line(path=f"/{key}"), line(200)] for key in "klm"}
    actor = log.actor()
    if before:
        actor(log.planned([upload(n, of[key], key=key) for n, key in enumerate(before)]), again=False)
    log.planned([shared(BAD, *((lines, key) for key, lines in of.items()))])
    log.drain(actor)
    found = consistent(store)
    assert (found.rejected, found.duplicate, found.pending) == (rejected, duplicate, 0)
    letters = store.read(lambda: [bytes(row.payload) for row in DeadLetter.select()])
    left = [text for key, lines in of.items() if key not in before for text in lines]
    assert [json.loads(letter) for letter in letters] == ([left] if left else [])


def test_a_record_as_a_whole_of_which_some_uploads_are_twins_is_rejected_without_them(store: Store) -> None:
    log = Log(store)
    actor = log.actor()
    one, other = [line(path="/k")], [line(path="/l"), line(200)]
    actor(log.planned([upload(0, one, key="k")]), again=False)
    record = shared(BAD, (one, "k"), (other, "l"))
    # Foreign: as long as it says, and no array.
    log.planned([replace(record, value=b"{" + (record.value or b"")[1:])])
    log.drain(actor)
    found = consistent(store)
    assert (found.stored, found.rejected, found.duplicate, found.pending) == (1, 2, 1, 0)


@pytest.mark.usefixtures("poisonous")
def test_old_messages_of_a_split_batch_change_nothing(store: Store) -> None:
    log = Log(store)
    old = log.planned(uploads(8))
    actor = log.actor()
    actor(old, again=False)
    pieces = log.pending()
    assert [(order.first, order.next) for order in pieces] == [(0, 5), (5, 6), (6, 8)]
    actor(old, again=True)
    assert log.pending() == pieces
    split(store, old, store.read(lambda: Batch.get(Batch.first == 0).id), log.records[0], Poison("again"), [4])
    assert log.pending() == pieces


@pytest.mark.usefixtures("poisonous")
def test_pieces_are_sent_at_once_and_repair_has_only_what_redis_lost(store: Store) -> None:
    log = Log(store)
    log.actor()(log.planned(uploads(8)), again=False)
    assert log.sent == log.pending()
    ages = store.read(lambda: [row.dispatched_at >= row.planned_at for row in Batch.select()])
    assert ages == [True] * 3


@pytest.mark.usefixtures("poisonous")
def test_pieces_that_redis_does_not_take_stay_pending(store: Store) -> None:
    def refuse(order: Range) -> None:
        raise Unavailable("redis", f"not now: {order}")

    log = Log(store)
    log.actor(send=refuse)(log.planned(uploads(8)), again=False)
    log.drain(log.actor())
    assert consistent(store).pending == 0


def test_culprits_are_found_wherever_they_are() -> None:
    def process(records: Sequence[Any]) -> None:
        if any(record.offset in (0, 3, 12) for record in records):
            raise ValueError

    assert culprits(uploads(13), process) == [0, 3, 12]
    assert culprits(uploads(2, 20), process) == []
    assert around([0, 3, 4, 12], 13) == [1, 3, 4, 5, 12]
    assert around([], 13) == [6]


def test_a_batch_of_lines_from_everywhere_is_cut_into_as_few_pieces_as_there_may_be(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MINUTES", 100)
    log = Log(store)
    chance = Random(1)
    records = [
        upload(offset, [line(time=f"2025-06-{chance.randrange(10, 29)}T{n % 24:02}:{chance.randrange(60):02}:00Z")])
        for offset, n in enumerate(range(300))
    ]
    order = log.planned(records)
    log.actor()(order, again=False)
    pieces = log.pending()
    assert 3 <= len(pieces) <= 4
    log.drain(log.actor())
    found = consistent(store)
    assert (found.stored, found.pending) == (300, 0)


def test_one_upload_of_lines_from_everywhere_is_not_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MINUTES", 3)
    log = Log(store)
    wide = upload(0, [line(time=f"2025-06-10T10:{minute}:00Z") for minute in range(10, 20)])
    log.actor()(log.planned([wide, upload(1, ["bad"])]), again=False)
    found = consistent(store)
    assert (found.stored, found.rejected, found.pending) == (10, 1, 0)


@pytest.mark.usefixtures("poisonous")
@pytest.mark.parametrize("twin_first", [True, False])
def test_an_upload_whose_one_record_is_poison_counts_once_with_its_twin(store: Store, twin_first: bool) -> None:
    log = Log(store)
    poison, twin = upload(BAD, [line()], key="k"), upload(BAD + 1, [line()], key="k")
    orders = [log.planned([one]) for one in (poison, twin)]
    for order in reversed(orders) if twin_first else orders:
        log.actor()(order, again=False)
    found = consistent(store)
    assert (found.received, found.duplicate, found.pending) == (2, 1, 0)
    assert (found.stored, found.rejected) == ((1, 0) if twin_first else (0, 1))


@pytest.mark.usefixtures("poisonous")
def test_pieces_are_planned_as_if_they_had_always_been(store: Store) -> None:
    log = Log(store)
    log.actor()(log.planned(uploads(8)), again=False)
    rows = store.read(lambda: list(Batch.select().order_by(Batch.first)))
    for row in rows:
        records = log.read(0, row.first, row.next)
        assert bytes(row.digest) == batch.digest(records)
        assert (row.lines, row.attempts, row.state) == (sum(map(batch.lines, records)), 0, "pending")
    assert len({row.planned_at for row in rows}) == len({row.oldest_at for row in rows}) == 1
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
    assert split(store, order, id, log.records[0], Poison("late"), [2]) == []
    assert split(store, order, id, log.records[0][:1], Poison("late"), []) == []
    assert consistent(store).stored == 4
    assert store.read(lambda: Batch.select().count()) == 1
