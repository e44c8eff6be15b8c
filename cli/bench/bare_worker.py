"""A bare worker: `python -m cli.bench.bare_worker PORT LINES`, where each record has so many lines.

Reads what comes, takes lines apart and inserts those that are to be stored, in two threads. It listens on its port once
it reads.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
import polars as pl

from cli.bench.bare_consumer import from_now
from pipeline import batch, process, settings
from pipeline.grammar import FAST_LINE
from pipeline.settings import Settings
from pipeline.storage import Store
from tasks import rows
from tasks.frame import SCHEMA

# Threads that insert rows.
WRITERS: Final = 2
# Of as many routes as the load's lines have.
_ROUTES: Final = 7

_decode = msgspec.json.Decoder(list[str]).decode


def frame(uploads: Sequence[bytes]) -> pl.DataFrame:
    """The lines of uploads as columns, as FAST_LINE and SCHEMA name them."""
    texts = [line for upload in uploads for line in _decode(upload)]
    fields = pl.Series("text", texts, dtype=pl.String).str.extract_groups(FAST_LINE).struct.unnest()
    return fields.cast({name: kind for name, kind in SCHEMA.items() if name in fields.columns})


def statements(lines: pl.DataFrame) -> list[str]:
    """The INSERTs of those that are to be stored, as rows of batch 0 and of any route."""
    kept = lines.filter(pl.col("status") != 200).with_columns(route=pl.col("latency") % _ROUTES + 1)
    return [statement for statement, _ in rows.statements(kept, 0)] if len(kept) else []


def insert(store: Store, inserts: Sequence[str]) -> None:
    """Executes statements in a transaction."""

    def work() -> None:
        for statement in inserts:
            store.execute(statement)

    store.write(work)


def main(port: int, lines: int) -> None:
    """Works until it is killed, or a thread fails."""
    process.give_back()
    loaded = settings.load()
    store = Store.open(loaded.database_url)
    parts = range(loaded.kafka_partitions)
    shares = [share for number in range(WRITERS) if (share := parts[number::WRITERS])]
    with ThreadPoolExecutor(WRITERS) as writers, socket.create_server(("127.0.0.1", port)):
        list(writers.map(lambda share: _work(loaded, store, share, lines), shares))


def _work(loaded: Settings, store: Store, parts: Sequence[int], lines: int) -> None:
    client = from_now(loaded, parts, 10)
    bodies: list[bytes] = []
    while True:
        polled = client.poll(timeout_ms=50, max_records=max(batch.LINES // lines - len(bodies), 1))
        bodies += [record.value for records in polled.values() for record in records]
        if bodies and (not polled or len(bodies) * lines >= batch.LINES):
            insert(store, statements(frame(bodies)))
            bodies = []


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
