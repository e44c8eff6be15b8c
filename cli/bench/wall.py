"""The wall: what servers and libraries need for the same lines alone, with nothing of ours between them.

Each part does its share of the pipeline's work as plainly as it can be asked to, one after the other. What all of them
need together is what the pipeline cannot go below while it is made of them; what comes through when they work at once
(`cli/bench/together.py`) says how near to that this machine lets them get.
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
from statistics import median
from typing import Final, NamedTuple

import msgspec
from kafka import TopicPartition

from cli import ports
from cli.bench import load, machine, processes
from cli.bench.load import Plan
from cli.bench.loading import loading, sent_by
from cli.bench.parts import WRITERS, frame, statements
from cli.bench.together import together
from cli.bench.trial import Workload
from cli.bench.usage import Usage
from pipeline import batch, producer, topic
from pipeline.kafka import consuming
from pipeline.settings import Settings
from pipeline.storage import Store

BATCHES: Final = 50
# Uploads on their way at once.
IN_FLIGHT: Final = 32


class Wall(NamedTuple):
    """Of a workload's million lines the processor time, in seconds, that each part takes alone, servers included.

    `at_once` is how many lines/s come through all of them together.
    """

    workload: Workload
    cpu_seconds: dict[str, float]
    at_once: float


def wall(settings: Settings, store: Store, workload: Workload, seconds: float = 5.0) -> Wall:
    """Measures each part, and all at once; leaves records in the topic and in another, and rows of batch 0."""
    plan = Plan("", workload.lines, IN_FLIGHT, seconds, workload.kept)
    chance, now = random.Random(1), datetime.now(UTC)
    uploads = [load.body(chance, plan, now)[0] for _ in range(batch.LINES // workload.lines)]
    own = settings.model_copy(update={"kafka_topic": f"{settings.kafka_topic}-wall"})
    topic.ensure(own)
    inserts = statements(frame(uploads))
    parts: dict[str, Callable[[], object]] = {
        "records sent to Kafka": partial(_send, own, uploads),
        "records read from Kafka": partial(_receive, own, len(uploads) * BATCHES),
        "records read from Kafka again": partial(_receive, own, len(uploads) * BATCHES),
        "lines taken apart by Polars": lambda: [frame(uploads) for _ in range(BATCHES)],
        "rows inserted, with their indexes": partial(_insert, store, inserts),
    }
    servers = Usage(settings, {})
    lines = len(uploads) * workload.lines * BATCHES
    found = {"uploads sent, read and answered by Granian": _http(settings, plan)}
    for name, work in parts.items():
        before = _used(servers)
        work()
        found[name] = (_used(servers) - before) / lines * 1e6
    at_once = median(together(settings, store, msgspec.structs.replace(plan, seconds=2 * seconds)) for _ in range(3))
    return Wall(workload, found, at_once)


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


def _send(settings: Settings, uploads: Sequence[bytes]) -> None:
    """Sends BATCHES times these, IN_FLIGHT at once, with the headers that an upload has."""
    sending = producer.build(settings)
    room = threading.Semaphore(IN_FLIGHT)
    headers = batch.headers(1, datetime.now(UTC), b"0" * 32, b"0" * 32)
    for _ in range(BATCHES):
        for upload in uploads:
            room.acquire()
            sent = sending.send(settings.kafka_topic, value=upload, headers=headers)
            sent.add_both(lambda _: room.release())
    for _ in range(IN_FLIGHT):
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


def _insert(store: Store, inserts: Sequence[str]) -> None:
    """Inserts BATCHES times what statements do, each time in a transaction, WRITERS at once."""

    def work() -> None:
        for statement in inserts:
            store.execute(statement)

    def write(_: int) -> None:
        store.write(work)

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(BATCHES)))
        list(writers.map(lambda _: store.disconnect(), range(WRITERS)))
