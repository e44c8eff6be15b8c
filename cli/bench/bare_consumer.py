"""A bare consumer: `python -m cli.bench.bare_consumer`. Reads all that comes, as ours does to plan, and forgets it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kafka import KafkaConsumer, TopicPartition

from consumer.loop import LOOK_MOST
from pipeline import settings
from pipeline.kafka import consuming
from pipeline.settings import Settings


def from_now(loaded: Settings, parts: Sequence[int]) -> KafkaConsumer:
    """A consumer of what comes to these partitions from now on."""
    client = consuming(loaded, group_id=None)
    client.assign([TopicPartition(loaded.kafka_topic, part) for part in parts])
    client.seek_to_end()
    for partition in client.assignment():
        client.position(partition)
    return client


def main() -> None:
    """Reads until it is killed."""
    loaded = settings.load()
    client = from_now(loaded, range(loaded.kafka_partitions))
    while True:
        client.poll(timeout_ms=200)
        time.sleep(LOOK_MOST)


if __name__ == "__main__":
    main()
