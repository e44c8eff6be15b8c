"""The ledger: every line that was ever planned, in one class, read in one SELECT, as a whole or by day.

`received` was counted at the door and at planning, the other classes by whoever executed the batch, apart from it:
that they add up is a proof and not an arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import reduce
from typing import Any

import msgspec
from peewee import Case, Value, fn

from pipeline.batch import NO_DIGEST
from pipeline.models import Batch, LedgerMinute, Progress, Stream
from pipeline.storage import Store

_SUMMED = ("received", "stored", "discarded", "rejected", "duplicate", "lost", "pending")


class NotPlanned(msgspec.Struct, frozen=True):
    """A partition of a live topic, and how many offsets of it are behind its log's known end."""

    topic: str
    partition: int
    records: int


class Uncounted(msgspec.Struct, frozen=True):
    """A partition, and how many offsets of it were lost before anybody had counted their lines."""

    topic: str
    partition: int
    records: int


class Classes(msgspec.Struct, frozen=True):
    """Sums of lines."""

    received: int
    stored: int
    discarded: int
    rejected: int
    duplicate: int
    lost: int
    pending: int

    @property
    def balanced(self) -> bool:
        """Whether each received line is of exactly one class."""
        classes = self.stored + self.discarded + self.rejected + self.duplicate + self.lost + self.pending
        return self.received == classes


class Ledger(Classes, frozen=True):
    """The sums of a range of minutes; `not_planned` and `lost_uncounted` are beside them and not in them."""

    not_planned: tuple[NotPlanned, ...]
    lost_uncounted: tuple[Uncounted, ...]


class Day(Classes, frozen=True):
    """The sums of the batches that were planned on one day (UTC)."""

    day: date


def read(store: Store, first: datetime | None = None, end: datetime | None = None) -> Ledger:
    """The ledger of the batches planned from `first` on and before `end`, whole minutes (UTC); of all without them.

    Raises Unavailable.
    """
    nowhere = (Value(None), Value(0))
    halves = (_planned(nowhere, first, end), _pruned(nowhere, first, end))
    query = reduce(lambda one, other: one + other, (*halves, _not_planned(), _uncounted(first, end)))
    rows = store.read(lambda: list(query.tuples()))
    sums = _sums([row[2:] for row in rows if row[0] is None])
    named = sorted((row[:4] for row in rows if row[0] is not None), key=lambda row: row[:2])
    behind = [NotPlanned(topic, part, max(records, 0)) for topic, part, records, lost in named if lost is None]
    lost = [Uncounted(topic, part, int(records)) for topic, part, _, records in named if records]
    return Ledger(**sums, not_planned=tuple(behind), lost_uncounted=tuple(lost))


def days(store: Store, first: datetime | None = None, end: datetime | None = None) -> list[Day]:
    """The same batches by the day (UTC) on which they were planned, oldest first; a day without a batch is left out.

    Each half is read by the index on its own time, and groups at most one row a minute or a batch. Raises Unavailable.
    """
    # As the databases say it: Peewee would make times of them again.
    planned, pruned = (fn.DATE(column).coerce(False) for column in (Batch.planned_at, LedgerMinute.minute))
    query = _planned((planned,), first, end).group_by(planned) + _pruned((pruned,), first, end).group_by(pruned)
    found: dict[str, list[Sequence[Any]]] = {}
    for day, *sums in store.read(lambda: list(query.tuples())):
        found.setdefault(str(day), []).append(sums)
    return [Day(**_sums(rows), day=date.fromisoformat(day)) for day, rows in sorted(found.items())]


def _sums(rows: Sequence[Sequence[Any]]) -> dict[str, int]:
    return {name: sum(row[i] or 0 for row in rows) for i, name in enumerate(_SUMMED)}


def _planned(keys: tuple[Any, ...], first: datetime | None, end: datetime | None) -> Any:
    def lines_of(state: str) -> Any:
        return fn.SUM(Case(None, ((Batch.state == state, Batch.lines),), 0))

    actors = (fn.SUM(column) for column in (Batch.stored, Batch.discarded, Batch.rejected, Batch.duplicate))
    columns = (fn.SUM(Batch.lines), *actors, lines_of("lost"), lines_of("pending"))
    return _between(Batch.select(*keys, *columns), Batch.planned_at, first, end)


def _pruned(keys: tuple[Any, ...], first: datetime | None, end: datetime | None) -> Any:
    columns = (fn.SUM(getattr(LedgerMinute, name)) for name in _SUMMED[:-1])
    return _between(LedgerMinute.select(*keys, *columns, Value(0)), LedgerMinute.minute, first, end)


def _not_planned() -> Any:
    """Rows of another kind in the same columns: topic, partition, records behind, and nothing."""
    rest = (Value(None) for _ in _SUMMED[1:])
    return (
        Progress.select(Stream.topic, Progress.part, Progress.end_offset - Progress.next_plan, *rest)
        .join(Stream, on=(Stream.id == Progress.stream))
        .where(Stream.state == "live")
    )


def _uncounted(first: datetime | None, end: datetime | None) -> Any:
    """Rows of a third kind: topic, partition, nothing, records lost, and nothing."""
    rest = (Value(0) for _ in _SUMMED[2:])
    lost = (
        Batch.select(Stream.topic, Batch.part, Value(0), fn.SUM(Batch.next - Batch.first), *rest)
        .join(Stream, on=(Stream.id == Batch.stream))
        .where(Batch.state == "lost", Batch.digest == NO_DIGEST)
        .group_by(Stream.topic, Batch.part)
    )
    return _between(lost, Batch.planned_at, first, end)


def _between(query: Any, column: Any, first: datetime | None, end: datetime | None) -> Any:
    if first is not None:
        query = query.where(column >= first)
    return query if end is None else query.where(column < end)
