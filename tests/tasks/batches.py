"""A log without a broker, planned by the consumer's own plan, and a recount of everything that came of it."""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from consumer.plan import Plan
from pipeline import batch, histogram, ledger, visitors
from pipeline.batch import Range
from pipeline.blocks import BLOCK
from pipeline.ledger import Ledger
from pipeline.models import (
    Batch,
    DeadLetter,
    LogBlock,
    LogEntry,
    RequestRollup,
    Route,
    RouteRollup,
    Stream,
    VisitorRollup,
)
from pipeline.rollup import METHODS, REQUEST_LEVELS, ROUTE_LEVELS, VISITOR_LEVELS
from pipeline.routes import Routes
from pipeline.storage import Store
from pipeline.topic import Identity
from tasks import trial
from tasks.admission import Admission
from tasks.ingest import Ingest
from tasks.metrics import Metrics
from tasks.templates import Templates
from tests.records import Rec

IDENTITY = Identity("cluster", "raw-logs", "topic-id", 6)


class Log:
    """The records of one topic, and its plan."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.plan = Plan.of(store, IDENTITY)
        self.records: dict[int, list[Rec]] = defaultdict(list)
        self.sent: list[Range] = []

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
            "send": self.sent.append,
            "discarded": frozenset({200}),
            "templates": Templates(Routes.of("")),
            "admission": Admission(self.store, 1_000),
            "metrics": Metrics(),
            "survives": trial.survived,
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
    """The ledger, after holding it, the rows, their blocks and the rollups at every level against each other."""
    found = ledger.read(store)
    assert found.balanced
    rows = [Row(*row) for row in store.read(lambda: list(LogEntry.select().tuples().order_by(LogEntry.id)))]
    assert len(rows) == found.stored
    requests = store.read(lambda: list(RequestRollup.select().tuples()))
    _agree(requests, REQUEST_LEVELS, rows, lambda row: (row.status, _known(row.method)), found.discarded)
    routes = [
        (level, bucket, kept, route, *rest)
        for level, bucket, route, kept, *rest in store.read(lambda: list(RouteRollup.select().tuples()))
    ]
    _agree(routes, ROUTE_LEVELS, rows, lambda row: (row.route, row.status // 100), found.discarded)
    templates = store.read(lambda: dict(Route.select(Route.id, Route.template).tuples()))
    assert all(row.route == 0 or templates[row.route] == Routes.of("").template(row.path).template for row in rows)
    sketches = store.read(lambda: list(VisitorRollup.select().tuples()))
    for level in VISITOR_LEVELS:
        kept = {bucket: bytes(sketch) for at, bucket, kept, sketch in sketches if (at, kept) == (level, 1)}
        assert kept == _visitors(rows, level)
    _placed(store, rows)
    letters = store.read(lambda: DeadLetter.select().count())
    assert (letters == 0) == (found.rejected == 0)
    return found


class Row(NamedTuple):
    """A row of `log_entries`."""

    id: int
    timestamp: datetime
    ip: str
    method: str
    path: str
    status: int
    latency_ms: int
    batch: int
    route: int


def _agree(
    rollups: list[tuple[Any, ...]],
    levels: Sequence[int],
    rows: Sequence[Row],
    key: Callable[[Row], tuple[Any, ...]],
    discarded: int,
) -> None:
    """Rollups are (level, bucket, kept, *key, requests, latency_sum, latency_max, latency)."""
    for level in levels:
        of_level = [row for row in rollups if row[0] == level]
        assert sum(row[-4] for row in of_level if row[2] == 0) == discarded
        latencies: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for row in rows:
            latencies[_bucket(row.timestamp, level), 1, *key(row)].append(row.latency_ms)
        assert {row[1:-1]: bytes(row[-1]) for row in of_level if row[2] == 1} == {
            (*at, len(found), sum(found), max(found)): _histogram(found) for at, found in latencies.items()
        }


def _histogram(latencies: Sequence[int]) -> bytes:
    """A bin at a time, as its entries are written: two bytes, and four of the count."""
    counts = Counter(int(number) for number in histogram.bins(latencies))
    return b"".join(struct.pack("<HI", *entry) for entry in sorted(counts.items()))


def _known(method: str) -> str:
    return method if method in METHODS else "other"


def _placed(store: Store, rows: Sequence[Row]) -> None:
    """Each minute's entries of a block lie between its first and last id, and are as many as it says."""
    ids: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in rows:
        ids[_bucket(row.timestamp, 60), row.id // BLOCK].append(row.id)
    blocks = store.read(lambda: {row[:2]: row[2:] for row in LogBlock.select().tuples()})
    assert blocks == {at: (min(found), max(found), len(found)) for at, found in ids.items()}


def _visitors(rows: Iterable[Row], level: int) -> dict[int, bytes]:
    addresses: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        addresses[_bucket(row.timestamp, level)].add(row.ip)
    return {bucket: visitors.sketch(sorted(found)) for bucket, found in addresses.items()}


def _bucket(timestamp: datetime, level: int) -> int:
    second = int(timestamp.replace(tzinfo=UTC).timestamp())
    return second - second % level
