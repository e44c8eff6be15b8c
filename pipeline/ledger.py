"""The ledger: every line that was ever planned, in one class, read in one SELECT.

`received` was counted at the door and at planning, the other classes by whoever executed the batch, apart from it:
that they add up is a proof and not an arithmetic.
"""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from typing import Any

import msgspec
from peewee import Case, Value, fn

from pipeline.models import Batch, LedgerMinute, Progress, Stream
from pipeline.storage import Store

_SUMMED = ("received", "stored", "discarded", "rejected", "duplicate", "lost", "pending")


class NotPlanned(msgspec.Struct, frozen=True):
    """A partition of a live topic, and how many offsets of it are behind its log's known end."""

    topic: str
    partition: int
    records: int


class Ledger(msgspec.Struct, frozen=True):
    """Sums of lines; `not_planned` is beside them and not in them."""

    received: int
    stored: int
    discarded: int
    rejected: int
    duplicate: int
    lost: int
    pending: int
    not_planned: tuple[NotPlanned, ...]

    @property
    def balanced(self) -> bool:
        """Whether each received line is of exactly one class."""
        classes = self.stored + self.discarded + self.rejected + self.duplicate + self.lost + self.pending
        return self.received == classes


def read(store: Store, first: datetime | None = None, end: datetime | None = None) -> Ledger:
    """The ledger of the batches planned from `first` on and before `end`, whole minutes (UTC); of all without them.

    Raises Unavailable.
    """
    query = reduce(lambda one, other: one + other, (_planned(first, end), _pruned(first, end), _not_planned()))
    rows = store.read(lambda: list(query.tuples()))
    totals = [row[2:] for row in rows if row[0] is None]
    sums = {name: sum(int(row[i] or 0) for row in totals) for i, name in enumerate(_SUMMED)}
    behind = [NotPlanned(topic, int(part), max(int(records), 0)) for topic, part, records, *_ in rows if topic]
    return Ledger(**sums, not_planned=tuple(sorted(behind, key=lambda one: (one.topic, one.partition))))


def _planned(first: datetime | None, end: datetime | None) -> Any:
    def lines_of(state: str) -> Any:
        return fn.SUM(Case(None, ((Batch.state == state, Batch.lines),), 0))

    actors = (fn.SUM(column) for column in (Batch.stored, Batch.discarded, Batch.rejected, Batch.duplicate))
    columns = (fn.SUM(Batch.lines), *actors, lines_of("lost"), lines_of("pending"))
    return _between(Batch.select(Value(None), Value(0), *columns), Batch.planned_at, first, end)


def _pruned(first: datetime | None, end: datetime | None) -> Any:
    columns = (fn.SUM(getattr(LedgerMinute, name)) for name in _SUMMED[:-1])
    return _between(LedgerMinute.select(Value(None), Value(0), *columns, Value(0)), LedgerMinute.minute, first, end)


def _not_planned() -> Any:
    """Rows of another kind in the same columns: topic, partition, records, and nothing."""
    rest = (Value(0) for _ in _SUMMED[1:])
    return (
        Progress.select(Stream.topic, Progress.part, Progress.end_offset - Progress.next_plan, *rest)
        .join(Stream, on=(Stream.id == Progress.stream))
        .where(Stream.state == "live")
    )


def _between(query: Any, column: Any, first: datetime | None, end: datetime | None) -> Any:
    if first is not None:
        query = query.where(column >= first)
    return query if end is None else query.where(column < end)
