"""The parts of the wall at once: the same servers and libraries in as many processes, with nothing of ours between.

Alone, each part has the caches to itself and hardly anybody to wake. At once they are what is left of the pipeline
without its protocol: no line is looked at by the receiver, nothing is planned, claimed, compared or summed, and what a
crash would lose is lost. Bodies are read twice, taken apart once, and the same share of rows is inserted.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import msgspec
from peewee import fn

from cli import columnar, ports
from cli.bench import processes
from cli.bench.load import Plan
from cli.bench.loading import loading, sent_by
from cli.bench.trial import Spread
from cli.child import wait_until
from pipeline.errors import TallyError
from pipeline.models import LogEntry
from pipeline.settings import Settings
from pipeline.storage import Store

DRAIN_SECONDS = 90.0


class Through(NamedTuple):
    """What came through: `rate` in lines/s, from the first request to the last row, and how long 202s took."""

    rate: float
    answered: Spread


def together(settings: Settings, store: Store, plan: Plan) -> Through:
    """What becomes of a plan's lines, whose `url` is replaced; leaves records in the topic, and rows of batch 0.

    Raises TallyError where a part fails, or not every row that was to be stored is.
    """
    door, reader, writer = ports.free(3)
    commands = {
        "bare receiver": processes.listening("cli.bench.bare_receiver", door),
        "bare consumer": processes.listening("cli.bench.bare_consumer", reader),
        "bare worker": processes.listening("cli.bench.bare_worker", writer, str(plan.lines)),
    }
    own = columnar.ENVIRONMENT | {"KAFKA_TOPIC": settings.kafka_topic}
    with processes.running(settings, {name: one._replace(environment=own) for name, one in commands.items()}):
        before = _last(store)
        with loading(msgspec.structs.replace(plan, url=f"http://127.0.0.1:{door}/upload")) as process:
            sent = sent_by(process)
        if sent.failed or sent.uploads < 2:
            raise TallyError(f"the parts answered {sent.uploads} uploads with 202, and {sent.failed} otherwise")
        wait_until(lambda: _last(store) >= before + sent.stored, DRAIN_SECONDS)
        spent = time.monotonic() - sent.began
        if not all(command.is_ready() for command in commands.values()):
            raise TallyError("one of the parts has ended")
        # The last but one may be on its way still, where the last has come.
        if not wait_until(lambda: _rows(store, before) == sent.stored, 1.0):
            raise TallyError(f"of {sent.stored:,} rows, {_rows(store, before):,} came through the parts")
    return Through(sent.lines / spent, Spread.of(sent.milliseconds))


def _last(store: Store) -> int:
    """The last row's id."""
    return store.read(lambda: LogEntry.select(fn.MAX(LogEntry.id)).scalar()) or 0


def _rows(store: Store, after: int) -> int:
    """How many rows there are with greater ids."""
    rows: Any = LogEntry.select(fn.COUNT(LogEntry.id)).where(LogEntry.id > after)
    return int(store.read(rows.scalar))
