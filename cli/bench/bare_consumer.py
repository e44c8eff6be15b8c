"""A bare consumer: `python -m cli.bench.bare_consumer PORT`. Reads all that comes, as ours does, and forgets it.

It listens on its port once it reads.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Sequence

from kafka import KafkaConsumer, TopicPartition

from consumer.loop import LOOK_MOST
from pipeline import process, settings
from pipeline.kafka import consuming
from pipeline.settings import Settings


def from_now(loaded: Settings, parts: Sequence[int], wait_ms: int) -> KafkaConsumer:
    """A consumer of what comes to these partitions from now on; Kafka waits so long with an answer that has nothing.

    Raises Unavailable.
    """
    client = consuming(loaded, group_id=None, fetch_max_wait_ms=wait_ms)
    client.assign([TopicPartition(loaded.kafka_topic, part) for part in parts])
    client.seek_to_end()
    for partition in client.assignment():
        client.position(partition)
    return client


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
