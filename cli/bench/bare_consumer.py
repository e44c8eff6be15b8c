"""A bare consumer: `python -m cli.bench.bare_consumer PORT`. Reads all that comes, as ours does, and forgets it.

It listens on its port once it reads.
"""

from __future__ import annotations

import socket
import sys
import time

from cli.bench.parts import from_now
from consumer.loop import LOOK_MOST
from pipeline import process, settings


def main(port: int) -> None:
    """Reads until it is killed."""
    process.give_back()
    loaded = settings.load()
    client = from_now(loaded, range(loaded.kafka_partitions), 100)
    with socket.create_server(("127.0.0.1", port)):
        while True:
            client.poll(timeout_ms=200)
            time.sleep(LOOK_MOST)


if __name__ == "__main__":
    main(int(sys.argv[1]))
