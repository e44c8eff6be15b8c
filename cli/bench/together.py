"""The parts of the wall at once: the same servers and libraries in as many processes, with nothing of ours between.

Alone, each part has a core's caches to itself and nobody to wake. Together they are what is left of the pipeline
without its protocol: no line is looked at by the receiver, nothing is planned, claimed, compared or counted, and what
is lost is lost. Bodies are read twice, taken apart once, and the same share of rows is inserted, as many at once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import polars as pl

from cli import ports
from cli.bench import processes
from cli.bench.bare_consumer import from_now
from cli.bench.load import Plan
from cli.bench.loading import loading, sent_by
from cli.bench.parts import WRITERS, frame, statements
from cli.child import wait_until
from pipeline import batch
from pipeline.errors import TallyError
from pipeline.settings import Settings
from pipeline.storage import Store

DRAIN_SECONDS = 60.0


def together(settings: Settings, store: Store, plan: Plan) -> float:
    """Lines/s, from the first request to the last row.

    Leaves records in the topic, which nobody may be reading, and rows of batch 0. Raises TallyError where a part fails.
    """
    (port,) = ports.free(1)
    commands = {
        "bare receiver": processes.listening("cli.bench.bare_receiver", port),
        "bare consumer": processes.Command(("cli.bench.bare_consumer",), lambda: True),
    }
    with processes.running(settings, commands), ThreadPoolExecutor(WRITERS) as pool, contextlib.ExitStack() as ended:
        stop = threading.Event()
        ended.callback(stop.set)
        every = range(settings.kafka_partitions)
        writers = [_Writer(settings, store, every[number::WRITERS], plan.lines) for number in range(WRITERS)]
        writing = [pool.submit(writer.run, stop) for writer in writers]
        with loading(msgspec.structs.replace(plan, url=f"http://127.0.0.1:{port}/upload")) as process:
            sent = sent_by(process)

        def over() -> bool:
            return sum(writer.done for writer in writers) >= sent.lines or any(one.done() for one in writing)

        wait_until(over, DRAIN_SECONDS)
        spent = time.monotonic() - sent.began
        stop.set()
        for one in writing:
            one.result()
        if sum(writer.done for writer in writers) != sent.lines:
            raise TallyError(
                f"of {sent.lines:,} lines, {sum(writer.done for writer in writers):,} came through the parts"
            )
    return sent.lines / spent


class _Writer:
    """A bare worker: reads partitions, takes lines apart and inserts rows, in its own thread. `done` are its lines."""

    def __init__(self, settings: Settings, store: Store, parts: Sequence[int], lines: int) -> None:
        """`lines` is how many each record has."""
        self._client = from_now(settings, parts)
        self._store = store
        self._lines = lines
        self.done = 0

    def run(self, stop: threading.Event) -> None:
        """Works until it is told to stop."""
        bodies: list[bytes] = []
        with contextlib.closing(self._client):
            while not stop.is_set():
                room = max(batch.LINES // self._lines - len(bodies), 1)
                polled = self._client.poll(timeout_ms=50, max_records=room)
                bodies += [record.value for records in polled.values() for record in records]
                if bodies and (not polled or len(bodies) * self._lines >= batch.LINES):
                    self._insert(frame(bodies))
                    bodies = []
        self._store.disconnect()

    def _insert(self, lines: pl.DataFrame) -> None:
        def work() -> None:
            for statement in statements(lines):
                self._store.execute(statement)

        self._store.write(work)
        self.done += len(lines)
