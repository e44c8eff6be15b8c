"""One run of the bench: starts the processes, runs one trial after the other, and reports."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import click
import msgspec

from cli import ports
from cli.bench import load, machine, processes
from cli.bench.hops import Hops
from cli.bench.load import Plan
from cli.bench.naive import naive
from cli.bench.plot import plot
from cli.bench.report import Report
from cli.bench.rig import Rig
from cli.bench.targets import DRAINED, HALF, TWENTIETH
from cli.bench.trial import Trial, Workload, middle
from cli.bench.usage import Usage
from cli.bench.wall import wall
from cli.bench.yardstick import yardstick
from pipeline import schema, topic
from pipeline.errors import TallyError
from pipeline.models import LogEntry
from pipeline.settings import Settings
from pipeline.storage import Store

PROCESSES = ("receiver", "consumer", "worker", "scheduler", "webapi")
# The first is what is swept, and of whose drained rate the loads are shares.
WORKLOADS: Final = (
    Workload(100, 0.3),
    Workload(1_000, 0.3),
    Workload(100, 0.0),
    Workload(100, 1.0),
    Workload(1, 0.3),
    Workload(10, 0.3),
    Workload(10_000, 0.3),
)
LONE: Final = Workload(1, 0.3)
# Of which is measured what they cost with nothing of ours: those that are to reach a rate.
WALLED: Final = tuple(DRAINED)
# Lines a second, so far apart that everything idles in between, and never in step with who looks for them.
LONE_RATE: Final = 1.9
# Of the drained rate: what is offered for long.
SOAKED: Final = 0.6


class Schedule(NamedTuple):
    """What is run: seconds of load before anything counts, of a trial, and of lone uploads; how often each.

    `shares` of the drained rate are offered, the least first, and then SOAKED of it for `soak` minutes, each a trial;
    with `beside`, a naive pipeline is measured too, and what servers and libraries need alone and do at once.
    """

    warm_up: float = 20.0
    seconds: float = 15.0
    lone_seconds: float = 60.0
    repeats: int = 3
    workloads: tuple[Workload, ...] = WORKLOADS
    shares: tuple[float, ...] = (TWENTIETH, 0.25, HALF, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 2.5)
    soak: int = 0
    beside: bool = True


QUICK: Final = Schedule(8.0, 5.0, 5.0, 1, WORKLOADS[:2], (TWENTIETH, HALF), beside=False)


def run(settings: Settings, schedule: Schedule, output: Path | None, picture: Path | None) -> int:
    """Runs everything, prints the report, writes it as JSON and the sweep as SVG; returns the exit code.

    Raises TallyError where the database has rows, a line is lost, or a process does not start.
    """
    schema.migrate(settings.database_url)
    topic.ensure(settings)
    store = Store.open(settings.database_url)
    if store.read(lambda: LogEntry.select().count()):
        raise TallyError("the bench fills the database, and this one has rows: name an empty one in DATABASE_URL")
    report = _report(settings, store, schedule)
    click.echo(report.text())
    for path in filter(None, (output, picture)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if output:
        output.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2))
    if picture:
        title = f"{report.machine}; y = {report.yardstick:,.0f} lines/s"
        picture.write_text(plot(list(map(middle, report.sweep)), title), encoding="utf-8")
    return 0


def _report(settings: Settings, store: Store, schedule: Schedule) -> Report:
    before = yardstick()
    commands = {name: processes.ours(settings, name) for name in PROCESSES}
    with processes.running(settings, commands) as leaders, contextlib.closing(Hops(settings, store)) as hops:
        rig = Rig(f"{ports.address(settings, 'receiver')}/upload", store, Usage(settings, leaders), hops)
        click.echo("warming up", err=True)
        rig.trial(schedule.workloads[0], schedule.warm_up)
        turns = [_turn(rig, schedule) for _ in range(schedule.repeats)]
        workloads, sweep = (_repeats(trials) for trials in zip(*turns, strict=True))
        lone = rig.trial(LONE, schedule.lone_seconds, LONE_RATE)
        rate = middle(workloads[0]).rate * SOAKED
        soak = [_offered(rig, schedule, rate, 60.0) for _ in range(schedule.soak)]
        rows = rig.count()
    baseline = naive(store, _upload()) if schedule.beside else None
    rates = {repeats[0].workload: middle(repeats).rate for repeats in workloads}
    walls = [wall(settings, store, workload, rates[workload]) for workload in WALLED] if schedule.beside else []
    yardsticks = before, yardstick()
    return Report(
        machine.description(), machine.cores(), yardsticks, workloads, lone, sweep, soak, rows, baseline, walls
    )


def _turn(rig: Rig, schedule: Schedule) -> tuple[list[Trial], list[Trial]]:
    """Every workload once, and every load of the sweep: shares of what was drained in the same turn.

    A machine that changes in the meantime changes for all of them.
    """
    workloads = [_drained(rig, schedule, workload) for workload in schedule.workloads]
    rate = workloads[0].rate
    return workloads, [_offered(rig, schedule, rate * share, schedule.seconds) for share in schedule.shares]


def _repeats(turns: Sequence[Sequence[Trial]]) -> list[list[Trial]]:
    """Of each trial its repeats, where each turn has all trials."""
    return [list(repeats) for repeats in zip(*turns, strict=True)]


def _drained(rig: Rig, schedule: Schedule, workload: Workload) -> Trial:
    trial = rig.trial(workload, schedule.seconds)
    click.echo(f"{workload}: {trial.rate:,.0f} lines/s", err=True)
    return trial


def _offered(rig: Rig, schedule: Schedule, rate: float, seconds: float) -> Trial:
    trial = rig.trial(schedule.workloads[0], seconds, rate)
    click.echo(f"{trial.offered:,.0f} lines/s offered: {trial.drained:,.0f} drained meanwhile", err=True)
    return trial


def _upload() -> bytes:
    content, _ = load.body(random.Random(1), Plan("", 100, 1, 0), datetime.now(UTC))
    return content
