"""Which partition records go to."""

from __future__ import annotations

import pytest

from receiver.partitioner import SLICE, InSlices


class Cluster:
    """What the client knows of a topic's partitions."""

    def __init__(self, every: set[int], available: set[int] | None = None) -> None:
        self.every = every
        self.available = every if available is None else available

    def partitions_for_topic(self, _: str) -> set[int]:
        return self.every

    def available_partitions_for_topic(self, _: str) -> set[int]:
        return self.available


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def chosen(partitioner: InSlices, cluster: Cluster) -> int:
    """Where the next record goes."""
    return partitioner.partition("raw-logs", None, None, b"", b"", cluster)


def test_a_slice_of_time_stays_together_and_in_the_long_run_all_partitions_are_used() -> None:
    clock = Clock()
    partitioner, cluster = InSlices(clock), Cluster(set(range(6)))
    slices = []
    for _ in range(200):
        found = set()
        for _ in range(10):
            found.add(chosen(partitioner, cluster))
            clock.now += SLICE / 10.001
        assert len(found) == 1
        slices += found
        clock.now += SLICE / 10
    assert set(slices) == set(range(6))
    assert max(map(slices.count, range(6))) < 80


def test_a_partition_that_lost_its_leader_is_left_at_once() -> None:
    partitioner = InSlices(Clock())
    first = chosen(partitioner, Cluster({0, 1}))
    assert chosen(partitioner, Cluster({0, 1}, {1 - first})) == 1 - first
    assert chosen(partitioner, Cluster({0, 1}, set())) in {0, 1}


def test_no_topic_is_said() -> None:
    with pytest.raises(ValueError, match="raw-logs"):
        chosen(InSlices(), Cluster(set()))
