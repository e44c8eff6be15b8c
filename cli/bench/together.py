"""The parts of the wall at once: the same servers and libraries in as many processes, with nothing of ours between.

Alone, each part has the caches to itself and hardly anybody to wake. At once they are what is left of the pipeline
without its protocol: no line is looked at by the receiver, nothing is planned, claimed, compared or summed, and what a
crash would lose is lost. Bodies are read twice, taken apart once, and the same share of rows is inserted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from peewee import fn

from cli import polars_environment, ports
from cli.bench import processes
from cli.bench.bare_worker import WRITERS
from cli.bench.load import Plan
from cli.bench.loading import loading, sent_by
from cli.bench.trial import Spread
from cli.bench.usage import Usage
from cli.child import wait_until
from pipeline import batch
from pipeline.errors import TallyError
from pipeline.models import LogEntry
from pipeline.settings import Settings
from pipeline.storage import Store

# Seconds of load that count for nothing, and for how long rows are waited for.
WARM_UP, DRAIN_SECONDS = 2.0, 90.0


class Through(NamedTuple):
    """What came through: `rate` in lines/s, from the first request to the last row, how long 202s took, and the
    processor time of a million lines, in seconds, of the parts, the servers and the load."""

    rate: float
    answered: Spread
    cpu_seconds: float

    @property
    def cores_busy(self) -> float:
        """As a trial's."""
        return self.cpu_seconds * self.rate / 1e6


def together(settings: Settings, store: Store, plan: Plan) -> Through:
    """What becomes of a plan's lines, whose `url` is replaced; leaves records in the topic, and rows of batch 0.

    Raises TallyError where a part fails, or not every row that was to be stored is.
    """
    door, reader, writer = ports.free(3)
    commands = {
        "bare receiver": processes.listening("cli.bench.bare_receiver", door),
        "bare consumer": processes.listening("cli.bench.bare_consumer", reader),
        "bare worker": processes.listening("cli.bench.bare_worker", writer),
    }
    own = polars_environment.OF_WORKERS | {"KAFKA_TOPIC": settings.kafka_topic}
    plan = msgspec.structs.replace(plan, url=f"http://127.0.0.1:{door}/upload")
    parts = {name: one._replace(environment=own) for name, one in commands.items()}
    with processes.running(settings, parts) as leaders:
        usage = Usage(settings, leaders)

        def require_parts() -> None:
            if gone := [name for name, command in commands.items() if not command.is_ready()]:
                raise TallyError(f"the {gone[0]} has ended: its log in {settings.data_dir} says why")

        _through(store, msgspec.structs.replace(plan, seconds=min(plan.seconds, WARM_UP)), usage, require_parts)
        return _through(store, plan, usage, require_parts)


def _through(store: Store, plan: Plan, usage: Usage, require_parts: Callable[[], None]) -> Through:
    used = sum(usage.cpu_seconds().values())
    before = store.read(lambda: LogEntry.select(fn.MAX(LogEntry.id)).scalar()) or 0
    with loading(plan) as process:
        sent = sent_by(process)
    if sent.failed or sent.uploads < 2:
        raise TallyError(f"the parts answered {sent.uploads} uploads with 202, and {sent.failed} otherwise")
    # Ids are given out in turn: to look at the last of them is soon done, however many rows there are.
    first = max(sent.stored - WRITERS * batch.LINES, 0)

    def over() -> bool:
        require_parts()
        return _rows(store, before + first) >= sent.stored - first

    wait_until(over, DRAIN_SECONDS)
    spent = time.monotonic() - sent.began
    if (rows := _rows(store, before)) != sent.stored:
        raise TallyError(f"of {sent.stored:,} rows, {rows:,} came through the parts")
    used = sum(usage.cpu_seconds().values()) - used + sent.cpu_seconds
    return Through(sent.lines / spent, Spread.of(sent.milliseconds), used / sent.lines * 1e6)


def _rows(store: Store, after: int) -> int:
    """How many rows there are with greater ids."""
    rows: Any = LogEntry.select(fn.COUNT(LogEntry.id)).where(LogEntry.id > after)
    return int(store.read(rows.scalar))
