"""Fixtures of a migrated database, and naive ways to fill one and to count what is in it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
import pytest

from pipeline import schema
from pipeline.models import MODELS
from pipeline.routes import OTHER, Routes
from pipeline.storage import Store
from tasks import blocks
from tasks.admission import Admission
from tasks.aggregate import aggregate
from tasks.frame import MINUTE, SCHEMA
from tasks.rows import insert
from tasks.templates import Templates
from tasks.upsert import upsert
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


def session(store: Store) -> int:
    """MySQL's number of this thread's connection."""
    return int(store.execute("SELECT CONNECTION_ID()").fetchone()[0])


def beside(store: Store, sql: str) -> None:
    """Runs a statement in another session."""

    def run() -> None:
        store.write(lambda: store.execute(sql))
        store.disconnect()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@contextmanager
def refusing(store: Store, event: str, code: int) -> Iterator[None]:
    """Has MariaDB answer every `event` (`INSERT ON batch`) with an error, as a server does whose disk is full."""
    raised = f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'cannot, {code}'"
    store.write(lambda: store.execute(f"CREATE TRIGGER refusing BEFORE {event} FOR EACH ROW {raised}"))
    try:
        yield
    finally:
        store.write(lambda: store.execute("DROP TRIGGER refusing"))


class Seen(NamedTuple):
    """A line as the naive side of a test has it."""

    at: datetime
    ip: str = "10.0.0.1"
    method: str = "GET"
    path: str = "/"
    status: int = 404
    latency_ms: int = 10
    rule: frozenset[int] = frozenset({200})  # the statuses that are discarded where it is processed
    named: bool = True  # whether its route found room among those that are counted by name

    @property
    def kept(self) -> bool:
        """Whether the rule stores it."""
        return self.status not in self.rule

    @property
    def route(self) -> str:
        """What its path is counted as."""
        return Routes.of("").template(self.path).template if self.named else OTHER


def put(store: Store, lines: Sequence[Seen], routes: str = "", most: int = 1_000) -> None:
    """Stores lines as the ingest actor does: rows of those that are kept, rollups of all."""
    times = [f"{line.at:%Y-%m-%dT%H:%M:%S.%f}" for line in lines]
    columns = [(line.ip, line.method, line.path, line.status, line.latency_ms) for line in lines]
    rows = [(n, n, time, *rest) for n, (time, rest) in enumerate(zip(times, columns, strict=True))]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(
        MINUTE,
        Templates(Routes.of(routes)).of(pl.Series("template", [line.path for line in lines], dtype=pl.String)),
        pl.Series("kept", [line.kept for line in lines], dtype=pl.Boolean),
    )
    named = Admission(store, most).named(frame)
    kept = named.filter("kept")

    def work() -> None:
        if len(kept):
            blocks.note(store, kept, insert(store, kept, 0))
        upsert(store, aggregate(named))

    store.write(work)


def named(batches: Iterable[Sequence[Seen]], most: int) -> list[list[Seen]]:
    """Batches as they are counted one after the other where a day has room for so many routes."""
    days: dict[datetime, set[str]] = {}
    found = []
    for batch in batches:
        asked = Counter((floor(line.at, 86_400), line.route) for line in batch)
        for day, route in sorted(asked, key=lambda key: (-asked[key], key[1])):
            admitted = days.setdefault(day, set())
            if len(admitted) < most:
                admitted.add(route)
        found.append([line._replace(named=line.route in days[floor(line.at, 86_400)]) for line in batch])
    return found


def recount(
    lines: Iterable[Seen], kind: str, start: datetime, end: datetime, scope: str, now: datetime | None = None
) -> dict[str, Any]:
    """A statistic by looking at every line; for `all` of the whole minutes. Percentiles are those of nearest rank.

    A window that ends now is no longer than until now.
    """
    until = end if end == now else None
    if scope == "all":
        start, end = floor(start, 60), floor(end, 60) + timedelta(seconds=60, microseconds=-1)
    inside = [line for line in lines if start <= line.at <= end and (scope == "all" or line.kept)]
    if kind == "latency":
        return _latency([line.latency_ms for line in inside])
    if kind == "errors":
        return dict(Counter(str(line.status) for line in inside if scope == "stored" or line.status >= 400))
    if kind == "traffic":
        return {"total_request": len(inside), "unique_ips": len({line.ip for line in inside})}
    classes = Counter(f"{line.status // 100}xx" for line in inside)
    seconds = ((until or end) - start + timedelta(microseconds=1)).total_seconds()
    return {
        "requests": len(inside),
        "requests_per_second": round(len(inside) / seconds, 4),
        "errors": classes["4xx"] + classes["5xx"],
        "error_rate": round((classes["4xx"] + classes["5xx"]) / len(inside), 6) if inside else 0,
        "client_errors": classes["4xx"],
        "server_errors": classes["5xx"],
        **_latency([line.latency_ms for line in inside]),
        "unique_ips": len({line.ip for line in inside}),
        "by_class": {name: classes[name] for name in ("1xx", "2xx", "3xx", "4xx", "5xx")},
    }


def _latency(latencies: list[int]) -> dict[str, float]:
    ranked = sorted(latencies)
    quantiles = {
        f"p{hundredths}_latency": ranked[-(-hundredths * len(ranked) // 100) - 1] if ranked else 0
        for hundredths in (50, 90, 95, 99)
    }
    average = round(sum(ranked) / len(ranked), 4) if ranked else 0
    return {"avg_latency": average, "max_latency": max(ranked, default=0), **quantiles}


def agree(found: dict[str, Any], expected: dict[str, Any], visitors_known: bool = True) -> None:
    """Whether an answer equals a recount: percentiles to the one per cent that is promised, all else exactly."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if name.startswith("p") and name.endswith("_latency"):
            assert abs(found[name] - value) <= 0.0100001 * value, name
        elif name == "unique_ips" and not visitors_known:
            assert abs(found[name] - value) <= 1
        else:
            assert found[name] == value, name


def floor(at: datetime, seconds: int) -> datetime:
    """The start of the bucket of that width which a time lies in."""
    return EPOCH + timedelta(seconds=_bucket(at, seconds))


def _bucket(at: datetime, seconds: int) -> int:
    return int((at - EPOCH).total_seconds()) // seconds * seconds
