"""A bare worker: `python -m cli.bench.bare_worker PORT`.

Reads what comes, takes lines apart and inserts those that are to be stored, in two threads. It listens on its port once
it reads.
"""

from __future__ import annotations

import os
import socket
import sys
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from itertools import chain
from typing import Final, NoReturn

from kafka import KafkaConsumer

from cli.bench.parts import frame, from_now, kept
from pipeline import batch, process, settings
from pipeline.storage import Store
from tasks import rows

# Threads that insert rows, and records a poll: of 1,000 lines each, a third of a batch.
WRITERS: Final = 2
RECORDS: Final = 16


def main(port: int) -> NoReturn:
    """Works until it is killed, or a thread fails."""
    process.give_back(large=settings.MIB)
    loaded = settings.load()
    store = Store.open(loaded.database_url)
    parts = range(loaded.kafka_partitions)
    clients = [from_now(loaded, share, 10) for number in range(WRITERS) if (share := parts[number::WRITERS])]
    with ThreadPoolExecutor(WRITERS) as writers, socket.create_server(("127.0.0.1", port)):
        working = [writers.submit(_work, client, store) for client in clients]
        for failed in wait(working, return_when=FIRST_EXCEPTION).done:
            process.report(failed.exception() or RuntimeError("it ended"))
        os._exit(1)  # The other thread would be waited for.


def _work(client: KafkaConsumer, store: Store) -> NoReturn:
    values: list[bytes] = []
    lines = 0
    while True:
        polled = client.poll(timeout_ms=50, max_records=RECORDS)
        for record in chain.from_iterable(polled.values()):
            values.append(record.value)
            lines += batch.lines(record)
        if values and (not polled or lines >= batch.LINES):
            stored = kept(frame(values))
            if len(stored):
                store.write(partial(rows.insert, store, stored, 0))
            values, lines = [], 0


if __name__ == "__main__":
    main(int(sys.argv[1]))
