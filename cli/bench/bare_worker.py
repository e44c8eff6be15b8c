"""A bare worker: `python -m cli.bench.bare_worker PORT LINES`, where each record has so many lines.

Reads what comes, takes lines apart and inserts those that are to be stored, in two threads. It listens on its port once
it reads.
"""

from __future__ import annotations

import os
import socket
import sys
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from typing import Final, NoReturn

from kafka import KafkaConsumer

from cli.bench.parts import frame, from_now, kept
from pipeline import batch, process, settings
from pipeline.storage import Store
from tasks import rows

# Threads that insert rows.
WRITERS: Final = 2


def main(port: int, lines: int) -> NoReturn:
    """Works until it is killed, or a thread fails."""
    process.give_back(large=settings.MIB)
    loaded = settings.load()
    store = Store.open(loaded.database_url)
    parts = range(loaded.kafka_partitions)
    clients = [from_now(loaded, share, 10) for number in range(WRITERS) if (share := parts[number::WRITERS])]
    with ThreadPoolExecutor(WRITERS) as writers, socket.create_server(("127.0.0.1", port)):
        working = [writers.submit(_work, client, store, lines) for client in clients]
        for failed in wait(working, return_when=FIRST_EXCEPTION).done:
            process.report(failed.exception() or RuntimeError("it ended"))
        os._exit(1)  # The other thread would be waited for.


def _work(client: KafkaConsumer, store: Store, lines: int) -> NoReturn:
    bodies: list[bytes] = []
    while True:
        polled = client.poll(timeout_ms=50, max_records=max(batch.LINES // lines - len(bodies), 1))
        bodies += [record.value for records in polled.values() for record in records]
        if bodies and (not polled or len(bodies) * lines >= batch.LINES):
            stored = kept(frame(bodies))
            if len(stored):
                store.write(partial(rows.insert, store, stored, 0))
            bodies = []


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
