"""One run of the bench of queries: fills a database, asks each kind of question over HTTP, and reports."""

from __future__ import annotations

import contextlib
import http.client
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import click
import msgspec
import redis
from peewee import fn
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli import ports
from cli.bench import asking, machine, processes
from cli.bench.fill import fill
from cli.bench.kinds import Kind, kinds
from cli.bench.measured import Measured, Size, Times
from cli.bench.plans import explained
from cli.bench.yardstick import yardstick
from pipeline import schema
from pipeline.cache import Cache
from pipeline.errors import TallyError
from pipeline.models import MODELS, LogEntry, Route
from pipeline.settings import Settings
from pipeline.storage import Store

# Of a kind that takes long so many are asked at the least.
_LEAST: Final = 5
_EXPORTED: Final = 1_000_000  # rows
_CACHED: Final = "/stats?type=summary&range=day"


class Reply(NamedTuple):
    """An answer: milliseconds until all of it was there, or those of its slowest part where it says them."""

    milliseconds: float
    status: int
    body: bytes


class Asker:
    """One client, one connection, one request after the other."""

    def __init__(self, settings: Settings) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(ports.address(settings, "webapi")).netloc, timeout=60)
        self._cache = redis.Redis.from_url(settings.cache_url)

    def flush(self) -> None:
        """Empties the cache."""
        self._cache.flushdb()

    def ask(self, path: str) -> Reply:
        """One request, answered."""
        start = time.perf_counter()
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        spent = (time.perf_counter() - start) * 1000
        parts = re.findall(r"dur=([0-9.]+)", answer.getheader("Server-Timing", ""))
        return Reply(max(map(float, parts), default=spent), answer.status, body)

    def times(self, kind: Kind, repeats: int, seconds: float) -> Times:
        """Asks one kind, without the cache and, where it can be cached, with it."""
        cold: list[float] = []
        failed, share = 0, 1.0
        self.ask(kind.path)
        start = time.perf_counter()
        while len(cold) < repeats and (len(cold) < _LEAST or time.perf_counter() - start < seconds):
            self.flush()
            reply = self.ask(kind.path)
            cold.append(reply.milliseconds)
            if reply.status != 200:
                failed += 1
                click.echo(f"{reply.status}  {kind.name}: {reply.body[:300].decode(errors='replace')}", err=True)
            else:
                meta = msgspec.json.decode(reply.body).get("meta", {})
                share = min(share, meta.get("coverage", {}).get("share", 1.0))
        warm = [self.ask(kind.path).milliseconds for _ in range(repeats)] if kind.cached else []
        p50, p99 = _percentiles(cold)
        warm_p50, warm_p99 = _percentiles(warm) if warm else (None, None)
        return Times(len(cold), p50, p99, warm_p50, warm_p99, share, failed)

    def exported(self) -> float:
        """Rows a second of a CSV file."""
        reply = self.ask(f"/logs/export?limit={_EXPORTED}")
        return (reply.body.count(b"\n") - 1) / reply.milliseconds * 1000


def run(settings: Settings, sizes: Sequence[int], repeats: int, seconds: float, output: Path | None, seed: int) -> int:
    """Fills, asks and reports at each size; returns the exit code.

    Raises TallyError where the database has rows, or the web API does not start.
    """
    schema.migrate(settings.database_url)
    store = Store.open(settings.database_url)
    if store.read(lambda: LogEntry.select().limit(1).count()):
        raise TallyError("the bench fills the database, and this one has rows: name an empty one in DATABASE_URL")
    before = yardstick()
    found = []
    for rows in sorted(sizes):
        _empty(store)
        filled, spent = _filled(store, rows, seed)
        asked = _kinds(store)
        found.append(_measured(settings, store, asked, filled, spent, repeats, seconds))
        report = Measured(machine.description(), _version(store), (before + yardstick()) / 2, found)
        if output:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    click.echo(report.text(asked))
    return 0


def _empty(store: Store) -> None:
    """Empties every table; ids begin at 1 again."""
    with store.database.connection_context():
        for model in MODELS:
            name = model._meta.table_name
            store.database.execute_sql(f"TRUNCATE TABLE {name}" if store.is_mysql else f"DELETE FROM {name}")


def _filled(store: Store, rows: int, seed: int) -> tuple[int, float]:
    """Fills the database, showing how far; returns how many rows it has now, and the seconds."""
    start = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("rows", total=rows)
        filled = fill(store, rows, seed, lambda number: progress.advance(task, number))
    return filled, time.monotonic() - start


def _kinds(store: Store) -> list[Kind]:
    def work() -> list[Kind]:
        last = LogEntry.select(fn.MAX(LogEntry.id)).scalar()
        some: Any = LogEntry.select(LogEntry.route, LogEntry.ip).where(LogEntry.id > last - 10_000, LogEntry.route > 0)
        routes, addresses = zip(*some.tuples(), strict=True)
        named = dict(Route.select(Route.id, Route.template).tuples())
        by_number = sorted(set(routes), key=routes.count)
        often = max(set(addresses), key=addresses.count)
        return kinds(datetime.now(UTC), named[by_number[-1]], named[by_number[0]], often, last)

    return store.read(work)


def _measured(
    settings: Settings, store: Store, asked: Sequence[Kind], rows: int, spent: float, repeats: int, seconds: float
) -> Size:
    with _webapi(settings) as bare:
        asker = Asker(settings)
        cache = Cache.open(settings.cache_url)
        plans = explained(store, cache, asker.flush, asked)
        times = {}
        for kind in asked:
            times[kind.name] = asker.times(kind, repeats, seconds)
            click.echo(f"{times[kind.name].p50:9.1f} ms  {kind.name}", err=True)
        asker.flush()
        asker.ask(_CACHED)
        load = min(5.0, seconds)
        cached = asking.rate(ports.address(settings, "webapi") + _CACHED, load)
        return Size(rows, spent, times, plans, asker.exported(), cached, asking.rate(bare, load))


@contextlib.contextmanager
def _webapi(settings: Settings) -> Iterator[str]:
    """The web API, ready, and beside it a bare view, whose URL this is."""
    (port,) = ports.free(1)
    commands = {"webapi": processes.ours(settings, "webapi"), "bare view": processes.listening("cli.bench.bare", port)}
    with processes.running(settings, commands):
        yield f"http://127.0.0.1:{port}/"


def _version(store: Store) -> str:
    query = "SELECT VERSION(), @@innodb_buffer_pool_size" if store.is_mysql else "SELECT sqlite_version()"
    version, *pool = store.read(lambda: store.execute(query).fetchone())
    return f"{version}, buffer pool {pool[0] / 2**20:,.0f} MiB" if pool else f"SQLite {version}"


def _percentiles(milliseconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percent; of few the latter is the greatest."""
    # Rounded: between two that are equal it finds one that is a hair less.
    hundredths = [round(one, 3) for one in quantiles(milliseconds, n=100, method="inclusive")]
    return hundredths[49], hundredths[98]
