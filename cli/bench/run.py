"""One run of the bench: starts the processes, sends the load, waits for the last row, and reports."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from statistics import quantiles

import click
import msgspec
from peewee import fn

from cli import ports
from cli.bench import load, machine
from cli.bench.load import Plan, Sent
from cli.bench.naive import naive
from cli.bench.report import Drained, Report
from cli.bench.yardstick import yardstick
from cli.child import Child, wait_until
from cli.readiness import is_ready
from cli.tether import Tether
from pipeline import schema, topic
from pipeline.errors import TallyError
from pipeline.models import Batch, LogEntry
from pipeline.settings import Settings
from pipeline.storage import Store

PROCESSES = ("receiver", "consumer", "worker")
CONNECTIONS = 32
DRAIN_SECONDS = 180.0
VISIBLE_UPLOADS_A_SECOND = 100.0  # of 100 lines each: 10,000 lines/s
# Rows that a slower transaction may commit with lower ids than a faster one's.
OVERTAKEN = 2_000


class Bench:
    """The processes under load, and the database that they fill."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._url = f"{ports.address(settings, 'receiver')}/upload"
        self._rows = 0
        self.accounted = self._done()

    def drained(self, lines: int, seconds: float, kept: float = 0.3) -> Drained:
        """Sends uploads of `lines` lines as fast as they are taken, until the last row can be queried.

        Raises TallyError when a line is missing or counted twice.
        """
        start = time.monotonic()
        sent = self._send(Plan(self._url, lines, CONNECTIONS, seconds, kept, seed=time.time_ns() % 2**31))
        self._settle(sent)
        rate = sent.lines / (time.monotonic() - start)
        return Drained(rate, *_percentiles(sent.milliseconds), sent.refused)

    def visible(self, seconds: float) -> tuple[float, float]:
        """Milliseconds from the 202 until the row can be queried at 10,000 lines/s: the median and the 99th percent."""
        plan = Plan(self._url, 100, CONNECTIONS, seconds, rate=VISIBLE_UPLOADS_A_SECOND)
        first = self._store.read(lambda: LogEntry.select(fn.MAX(LogEntry.id)).scalar()) or 0
        with loading(plan) as process:
            seen = self._watch(process, first)
            sent = sent_by(process)
        self._settle(sent)
        seen = self._look(first, first)[0] | seen
        return _percentiles([max(0.0, seen[mark] - at) * 1000 for mark, at in sent.marked])

    def _watch(self, process: subprocess.Popen[bytes], first: int) -> dict[int, float]:
        """When each marked row was seen first, from the row id `first` on."""
        seen: dict[int, float] = {}
        last = first
        while process.poll() is None:
            found, last = self._look(max(first, last - OVERTAKEN), last)
            seen = found | seen
            time.sleep(0.01)
        return seen

    def _look(self, after: int, last: int) -> tuple[dict[int, float], int]:
        """The marked rows past the id `after`, all seen now, and the highest id there is."""
        # Few rows are marked: fetching the others would take from the pipeline the core that it is measured on.
        marked = (
            LogEntry.select(LogEntry.path).where(LogEntry.id > after, LogEntry.path.startswith("/visible/")).tuples()
        )
        highest = LogEntry.select(fn.MAX(LogEntry.id))
        paths, last = self._store.read(lambda: (list(marked), highest.scalar() or last))
        now = time.time()
        return {int(path.removeprefix("/visible/")): now for (path,) in paths}, last

    def _send(self, plan: Plan) -> Sent:
        with loading(plan) as process:
            return sent_by(process)

    def _settle(self, sent: Sent) -> None:
        """Waits until every line that was acknowledged is accounted for, and checks that it is, once."""
        self.accounted += sent.lines
        self._rows += sent.stored
        if not wait_until(lambda: self._done() >= self.accounted, DRAIN_SECONDS):
            raise TallyError(f"{self.accounted - self._done()} lines are missing {DRAIN_SECONDS:.0f} s after the load")
        rows = self._store.read(lambda: LogEntry.select().count())
        if rows != self._rows or self._done() != self.accounted:
            raise TallyError(f"{self._rows} rows were to be stored, and there are {rows}")

    def _done(self) -> int:
        """The lines of all batches that are done, what was sent twice once."""
        query = Batch.select(fn.COALESCE(fn.SUM(Batch.lines - Batch.duplicate), 0)).where(Batch.state == "done")
        return int(self._store.read(query.scalar))


def run(settings: Settings, warm_up: float, seconds: float, repeats: int) -> int:
    """Runs everything and prints the report; returns the exit code.

    Raises TallyError where the database has rows, a line is lost, or a process does not start.
    """
    schema.migrate(settings.database_url)
    topic.ensure(settings)
    store = Store.open(settings.database_url)
    if store.read(lambda: LogEntry.select().count()):
        raise TallyError("the bench fills the database, and this one has rows: name an empty one in DATABASE_URL")
    before = yardstick()
    with _processes(settings) as children:
        bench = Bench(settings, store)
        click.echo("warming up", err=True)
        bench.drained(100, warm_up)
        results: dict[int, list[Drained]] = {100: [], 1000: []}
        for _ in range(repeats):
            for lines, drained in results.items():
                drained.append(bench.drained(lines, seconds))
                click.echo(f"{lines}-line uploads: {drained[-1].rate:,.0f} lines/s", err=True)
        visible = bench.visible(seconds)
        used = {name: machine.session(child.pid) for name, child in children.items()}
        memory = {name: machine.resident(pids) / 2**20 for name, pids in used.items()}
        cpu = {name: machine.cpu_seconds(pids) for name, pids in used.items()}
    content, _ = load.body(random.Random(1), Plan("", 100, 1, 0), datetime.now(UTC))
    baseline = naive(store, content)
    report = Report(
        machine=machine.description(),
        yardstick=(before + yardstick()) / 2,
        drained={lines: _median(found) for lines, found in results.items()},
        visible=visible,
        megabytes=memory,
        cpu_seconds={name: spent / (bench.accounted / 1e6) for name, spent in cpu.items()},
        naive=baseline,
    )
    click.echo(report.text())
    return 0


def _median(found: list[Drained]) -> Drained:
    """The run with the median rate."""
    return sorted(found, key=lambda drained: drained.rate)[len(found) // 2]


def _percentiles(milliseconds: list[float]) -> tuple[float, float]:
    """The median and the 99th percent."""
    hundredths = quantiles(milliseconds, n=100)
    return hundredths[49], hundredths[98]


@contextlib.contextmanager
def _processes(settings: Settings) -> Iterator[dict[str, Child]]:
    """The processes of the pipeline, ready."""
    with contextlib.closing(Tether()) as tether:
        children = {
            name: Child(tether, name, [sys.executable, "-m", "cli.main", name], log=settings.data_dir / f"{name}.log")
            for name in PROCESSES
        }
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            for child in children.values():
                child.start()
            for name in children:
                if not wait_until(partial(is_ready, settings, name), 60):
                    raise TallyError(f"the {name} is not ready: {settings.data_dir / name}.log says why")
            yield children
        finally:
            for child in children.values():
                child.stop()


@contextlib.contextmanager
def loading(plan: Plan) -> Iterator[subprocess.Popen[bytes]]:
    """The load's process, at work on a plan."""
    argv = [sys.executable, "-m", "cli.bench.load"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(plan))
        process.stdin.close()
        yield process


def sent_by(process: subprocess.Popen[bytes]) -> Sent:
    assert process.stdout is not None
    return msgspec.json.decode(process.stdout.read(), type=Sent)
