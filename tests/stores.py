"""Fixtures of a migrated database, and naive ways to fill one and to count what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
import pytest

from pipeline import schema, visitors
from pipeline.models import MODELS, LogEntry, RequestRollup, VisitorRollup
from pipeline.storage import Store
from tests.servers import Backend

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(backend: Backend) -> str:
    """The URL of a database with all tables; one for a module's tests on a backend."""
    url = backend.new_database()
    schema.migrate(url)
    return url


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """The module's database, emptied."""
    store = Store.open(database)
    empty(store)
    yield store
    store.disconnect()


def empty(store: Store) -> None:
    """Deletes every row of every table."""

    def work() -> None:
        for model in MODELS:
            model.delete().execute()

    store.write(work)


class Seen(NamedTuple):
    """A line as the naive side of a test has it."""

    at: datetime
    ip: str = "10.0.0.1"
    method: str = "GET"
    path: str = "/"
    status: int = 404
    latency_ms: int = 10

    @property
    def kept(self) -> bool:
        """Whether the default rule stores it."""
        return self.status != 200


def put(store: Store, lines: Sequence[Seen]) -> None:
    """Stores lines as an actor would, one line at a time: rows of those that are kept, rollups of all."""

    def work() -> None:
        rows = [
            {"timestamp": line.at, "ip": line.ip, "method": line.method, "path": line.path}
            | {"status": line.status, "latency_ms": line.latency_ms}
            for line in lines
            if line.kept
        ]
        _insert(LogEntry, rows)
        _insert(RequestRollup, list(_requests(lines)))
        _insert(VisitorRollup, list(_visitors(lines)))

    store.write(work)


def _insert(model: Any, rows: list[dict[str, Any]]) -> None:
    for first in range(0, len(rows), 2000):
        model.insert_many(rows[first : first + 2000]).execute()


def _requests(lines: Iterable[Seen]) -> Iterator[dict[str, Any]]:
    buckets: dict[tuple[int, int, int, int, str], list[int]] = {}
    for line in lines:
        for level in (60, 3600, 86400):
            key = (level, _bucket(line.at, level), int(line.kept), line.status, line.method)
            buckets.setdefault(key, []).append(line.latency_ms)
    for (level, bucket, kept, status, method), latencies in buckets.items():
        yield {"level": level, "bucket": bucket, "kept": kept, "status": status, "method": method} | {
            "requests": len(latencies),
            "latency_sum": sum(latencies),
            "latency_max": max(latencies),
        }


def _visitors(lines: Iterable[Seen]) -> Iterator[dict[str, Any]]:
    buckets: dict[tuple[int, int, int], set[str]] = {}
    for line in lines:
        for level in (300, 3600, 86400):
            buckets.setdefault((level, _bucket(line.at, level), int(line.kept)), set()).add(line.ip)
    for (level, bucket, kept), ips in buckets.items():
        sketch = visitors.sketch(visitors.hashes(pl.Series(sorted(ips))))
        yield {"level": level, "bucket": bucket, "kept": kept, "sketch": sketch}


def recount(lines: Iterable[Seen], kind: str, start: datetime, end: datetime, scope: str) -> dict[str, Any]:
    """The contract's statistic by looking at every line; for `all` of the whole minutes."""
    if scope == "all":
        start, end = floor(start, 60), floor(end, 60) + timedelta(seconds=60, microseconds=-1)
    inside = [line for line in lines if start <= line.at <= end and (scope == "all" or line.kept)]
    if kind == "latency":
        latencies = [line.latency_ms for line in inside]
        average = round(sum(latencies) / len(latencies), 4) if latencies else 0
        return {"avg_latency": average, "max_latency": max(latencies, default=0)}
    if kind == "errors":
        return dict(Counter(str(line.status) for line in inside if scope == "stored" or line.status >= 400))
    return {"total_request": len(inside), "unique_ips": len({line.ip for line in inside})}


def floor(at: datetime, seconds: int) -> datetime:
    """The start of the bucket of that width which a time lies in."""
    return EPOCH + timedelta(seconds=_bucket(at, seconds))


def _bucket(at: datetime, seconds: int) -> int:
    return int((at - EPOCH).total_seconds()) // seconds * seconds
