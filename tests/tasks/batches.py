"""A log without a broker, planned by the consumer's own plan, and a recount of everything that came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from consumer.plan import Plan
from pipeline import batch, ledger, visitors
from pipeline.batch import Range
from pipeline.ledger import Ledger
from pipeline.models import Batch, DeadLetter, LogEntry, RequestRollup, Stream, VisitorRollup
from pipeline.rollup import METHODS, REQUEST_LEVELS, VISITOR_LEVELS
from pipeline.storage import Store
from pipeline.topic import Identity
from tasks.ingest import Ingest
from tasks.metrics import Metrics
from tests.records import Rec

IDENTITY = Identity("cluster", "raw-logs", "topic-id", 6)


class Log:
    """The records of one topic, and its plan."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.plan = Plan.of(store, IDENTITY)
        self.records: dict[int, list[Rec]] = defaultdict(list)

    def planned(self, records: Sequence[Rec], part: int = 0) -> Range:
        """Appends records to a partition, at their own offsets, and plans them as one batch."""
        first = self.plan.planned(part, records[0].offset).next_plan
        self.records[part] += records
        return self.plan.add(part, 0, first, records, sum(map(batch.lines, records)))

    def read(self, part: int, first: int, after: int) -> list[Rec]:
        """As `RangeReader.read`."""
        return [record for record in self.records[part] if first <= record.offset < after]

    def actor(self, **overrides: Any) -> Ingest:
        """An actor that reads this log and discards 200."""
        arguments = {
            "store": self.store,
            "topic": IDENTITY.topic,
            "read": self.read,
            "discarded": frozenset({200}),
            "metrics": Metrics(),
        }
        return Ingest(**(arguments | overrides))

    def pending(self) -> list[Range]:
        """The orders of the batches that are pending, as repair sends them."""
        query = (
            Batch.select(
                Stream.topic_id, Batch.part, Batch.generation, Batch.first, Batch.next, Batch.digest, Batch.lines
            )
            .join(Stream, on=(Stream.id == Batch.stream))
            .where(Batch.state == "pending")
            .order_by(Batch.part, Batch.first)
        )
        return [Range(*row[:5], bytes(row[5]).hex()) for row in self.store.read(lambda: list(query.tuples()))]

    def drain(self, actor: Ingest, passes: int = 40) -> None:
        """Executes what is pending until nothing is."""
        for _ in range(passes):
            orders = self.pending()
            if not orders:
                return
            for order in orders:
                actor(order, again=True)


def consistent(store: Store) -> Ledger:
    """The ledger, after holding it, the rows and the rollups at every level against each other."""
    found = ledger.read(store)
    assert found.balanced
    rows = list(store.read(lambda: list(LogEntry.select().tuples().order_by(LogEntry.id))))
    assert len(rows) == found.stored
    requests = store.read(lambda: list(RequestRollup.select().tuples()))
    for level in REQUEST_LEVELS:
        of_level = [row for row in requests if row[0] == level]
        assert sum(row[5] for row in of_level if row[2] == 0) == found.discarded
        assert {tuple(row[1:]) for row in of_level if row[2] == 1} == _recounted(rows, level)
    sketches = store.read(lambda: list(VisitorRollup.select().tuples()))
    for level in VISITOR_LEVELS:
        kept = {bucket: bytes(sketch) for at, bucket, kept, sketch in sketches if (at, kept) == (level, 1)}
        assert kept == _visitors(rows, level)
    letters = store.read(lambda: DeadLetter.select().count())
    assert (letters == 0) == (found.rejected == 0)
    return found


def _recounted(rows: Iterable[tuple[Any, ...]], level: int) -> set[tuple[Any, ...]]:
    latencies: dict[tuple[int, int, int, str], list[int]] = defaultdict(list)
    for _, timestamp, _, method, _, status, latency, _ in rows:
        known = method if method in METHODS else "other"
        latencies[_bucket(timestamp, level), 1, status, known].append(latency)
    return {(*key, len(found), sum(found), max(found)) for key, found in latencies.items()}


def _visitors(rows: Iterable[tuple[Any, ...]], level: int) -> dict[int, bytes]:
    addresses: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        addresses[_bucket(row[1], level)].add(row[2])
    return {bucket: visitors.sketch(visitors.hashes(pl.Series(sorted(found)))) for bucket, found in addresses.items()}


def _bucket(timestamp: datetime, level: int) -> int:
    second = int(timestamp.replace(tzinfo=UTC).timestamp())
    return second - second % level
