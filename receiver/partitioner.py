"""Which partition a record goes to: for a while all to the same one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final

from kafka.partitioner import Partitioner

# Seconds; about what a worker needs for a small batch.
SLICE: Final = 0.25


class InSlices(Partitioner):  # type: ignore[misc]  # kafka-python ships no types
    """Sends what arrives within SLICE seconds to one partition, at random, then to another.

    A batch is of one partition and costs a worker some fixed time: of many records in one partition it has fewer to
    do, and sooner, than of few records in each. (kafka-python's own sticky partitioner turns with each of the
    producer's batches, every few milliseconds.)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._current = -1
        self._until = 0.0

    def partition(self, topic: str, _key: object, _raw: object, _value: object, _body: object, cluster: Any) -> int:
        """One of the partitions that have a leader, or of all where none is known to. Raises ValueError."""
        every = cluster.partitions_for_topic(topic)
        if not every:
            raise ValueError(f"there is no topic {topic}")
        usable = cluster.available_partitions_for_topic(topic) or every
        now = self._clock()
        if self._current not in usable or now >= self._until:
            self._current, self._until = random.choice(sorted(usable)), now + SLICE
        return self._current
