"""The wall: what servers and libraries need for the same lines alone, with nothing of ours between them.

Each part does its share of the pipeline's work as plainly as it can be asked to, one after the other. What all of them
need together is what the pipeline cannot go below while it is made of them; what comes through when they work at once
(`cli/bench/together.py`) says how near to that the machine lets them get.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

import msgspec
import polars as pl
from kafka import TopicPartition

from cli import ports
from cli.bench import load, machine, processes
from cli.bench.bare_worker import WRITERS
from cli.bench.load import Plan
from cli.bench.loading import loading, sent_by
from cli.bench.parts import frame, kept, records
from cli.bench.rig import CONNECTIONS, PACED_CONNECTIONS
from cli.bench.targets import HALF
from cli.bench.together import Through, together
from cli.bench.trial import Workload
from cli.bench.usage import Usage
from pipeline import batch, producer, topic
from pipeline.batch import Headers
from pipeline.kafka import consuming
from pipeline.models import LogEntry
from pipeline.settings import Settings
from pipeline.storage import Store
from tasks import rows

BATCHES: Final = 50
# Seconds of load for all parts at once, and how often.
AT_ONCE, REPEATS = 10.0, 3


class Wall(NamedTuple):
    """Of a workload's million lines the processor time, in seconds, that each part takes alone, servers included.

    `at_once` is what comes through all of them together, so often as it was measured, and `half` the same where half of
    what the pipeline drains is offered.
    """

    workload: Workload
    cpu_seconds: dict[str, float]
    at_once: list[Through]
    half: Through


def wall(settings: Settings, store: Store, workload: Workload, drained: float, seconds: float = 5.0) -> Wall:
    """Measures each part, and all at once; the pipeline drains so many lines/s.

    Empties `log_entries`: no row costs more than it has to. Leaves a topic of its own, and rows of batch 0.
    """
    store.write(LogEntry.truncate_table)
    plan = Plan("", workload.lines, CONNECTIONS, seconds, workload.kept)
    chance, now = random.Random(1), datetime.now(UTC)
    bodies = [load.body(chance, plan, now)[0] for _ in range(batch.LINES // workload.lines)]
    made = records(bodies)
    # Each workload's own: all of it is read from the beginning.
    name = f"{settings.kafka_topic}-wall-{workload.lines}-{round(100 * workload.kept)}"
    own = settings.model_copy(update={"kafka_topic": name})
    topic.ensure(own)
    rendered = _rendered(store, kept(frame(bodies)))
    parts: dict[str, Callable[[], object]] = {
        "records sent to Kafka": partial(_send, own, made),
        "records read from Kafka": partial(_receive, own, len(made) * BATCHES),
        "records read from Kafka again": partial(_receive, own, len(made) * BATCHES),
        "lines taken apart by Polars": lambda: [frame(bodies) for _ in range(BATCHES)],
        "rows inserted, with their indexes": partial(_insert, store, rendered),
    }
    servers = Usage(settings, {})
    lines = len(bodies) * workload.lines * BATCHES
    found = {"uploads sent, read and answered by Granian": _http(settings, plan)}
    for name, work in parts.items():
        before = _used(servers)
        work()
        found[name] = (_used(servers) - before) / lines * 1e6
    plan = msgspec.structs.replace(plan, seconds=AT_ONCE)
    at_once = [together(own, store, plan) for _ in range(REPEATS)]
    half = msgspec.structs.replace(plan, connections=PACED_CONNECTIONS, rate=drained * HALF / workload.lines)
    return Wall(workload, found, at_once, together(own, store, half))


def _used(servers: Usage) -> float:
    """Processor time so far, in seconds, of the servers and of this process."""
    return time.process_time() + sum(servers.cpu_seconds().values())


def _http(settings: Settings, plan: Plan) -> float:
    """CPU seconds a million lines: of the load, and of a server that answers 202 to whatever it has read."""
    (port,) = ports.free(1)
    with processes.running(settings, {"bare door": processes.listening("cli.bench.bare_door", port)}) as leaders:
        pids = machine.session(leaders["bare door"])
        before = machine.cpu_seconds(pids)
        with loading(msgspec.structs.replace(plan, url=f"http://127.0.0.1:{port}/upload")) as process:
            sent = sent_by(process)
        return (machine.cpu_seconds(pids) - before + sent.cpu_seconds) / sent.lines * 1e6


def _send(settings: Settings, made: Sequence[tuple[bytes, Headers]]) -> None:
    """Sends BATCHES times these records, CONNECTIONS at once."""
    sending = producer.build(settings)
    room = threading.Semaphore(CONNECTIONS)
    for _ in range(BATCHES):
        for value, headers in made:
            room.acquire()
            sent = sending.send(settings.kafka_topic, value=value, headers=headers)
            sent.add_both(lambda _: room.release())
    for _ in range(CONNECTIONS):
        room.acquire()
    sending.close()


def _receive(settings: Settings, records: int) -> None:
    """Reads so many records, of all partitions from their beginning."""
    with contextlib.closing(consuming(settings, group_id=None)) as client:
        client.assign([TopicPartition(settings.kafka_topic, part) for part in range(settings.kafka_partitions)])
        for partition in client.assignment():
            client.seek(partition, 0)
        while records > 0:
            records -= sum(map(len, client.poll(timeout_ms=200).values()))


def _rendered(store: Store, lines: pl.DataFrame) -> list[list[rows.Piece]]:
    """BATCHES times these lines, as the database takes them."""
    if not (count := len(lines)):
        return []
    first = rows.reserve(store, count * BATCHES)
    starts = range(first, first + count * BATCHES, count)
    return store.read(lambda: [list(rows.pieces(store, lines, 0, start)) for start in starts])


def _insert(store: Store, rendered: Sequence[Sequence[rows.Piece]]) -> None:
    """Inserts batches of rows, each in a transaction, WRITERS at once."""

    def insert(batch: Sequence[rows.Piece]) -> None:
        for piece in batch:
            piece.into(store)

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(lambda batch: store.write(lambda: insert(batch)), rendered))
        list(writers.map(lambda _: store.disconnect(), range(WRITERS)))
