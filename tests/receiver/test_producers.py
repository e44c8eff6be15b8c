"""One producer at a time, replaced in the background; but for the last test a stand-in for the client library's."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError

from cli.child import wait_until
from pipeline import producer
from pipeline.errors import Unavailable
from receiver.producers import Producers
from tests.topics import Topic, topic

__all__ = ["topic"]


class Builder:
    """Makes objects that stand for producers, or fails as often as it is told to."""

    def __init__(self, failures: int = 0, wait: threading.Event | None = None) -> None:
        self.failures = failures
        self.wait = wait
        self.calls = 0
        self.closed: list[Any] = []
        self.astray: Any = None

    def __call__(self) -> Any:
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise Unavailable("kafka", f"attempt {self.calls}")
        if self.wait and self.calls > 1:
            self.wait.wait(5)
        return object()

    def producers(self) -> Producers:
        """Started, without pauses."""
        producers = Producers(self, self.closed.append, lambda one: one is self.astray, (0.0,), look_seconds=0.02)
        producers.start()
        return producers


def in_use(producers: Producers) -> KafkaProducer | None:
    try:
        return producers.current()
    except Unavailable:
        return None


def test_there_is_none_until_one_is_built() -> None:
    producers = Producers(Builder(), lambda _: None, lambda _: False)
    with pytest.raises(Unavailable, match="kafka"):
        producers.current()


def test_an_abandoned_producer_is_closed_and_replaced_while_nobody_waits() -> None:
    release = threading.Event()
    builder = Builder(wait=release)
    producers = builder.producers()
    assert wait_until(lambda: in_use(producers) is not None, 5)
    first = producers.current()
    producers.abandon(first, "no answer")
    with pytest.raises(Unavailable, match="no answer"):
        producers.current()
    release.set()
    assert wait_until(lambda: in_use(producers) is not None, 5)
    assert producers.current() is not first
    assert builder.closed == [first]
    producers.close()


def test_one_that_stays_astray_is_replaced_though_nobody_complains() -> None:
    builder = Builder()
    producers = builder.producers()
    assert wait_until(lambda: in_use(producers) is not None, 5)
    first = builder.astray = producers.current()
    assert wait_until(lambda: in_use(producers) not in (None, first), 5)
    assert builder.closed == [first]
    producers.close()


def test_a_look_that_fails_and_one_that_is_abandoned_twice_change_nothing() -> None:
    builder = Builder()

    def fails(_: KafkaProducer) -> bool:
        raise KeyError("a topic that has just gone")

    producers = Producers(builder, builder.closed.append, fails, (0.0,), look_seconds=0.01)
    producers.start()
    assert wait_until(lambda: in_use(producers) is not None, 5)
    first = producers.current()
    producers.abandon(first, "no answer")
    producers._abandoned.put(first)
    assert wait_until(lambda: in_use(producers) not in (None, first), 5)
    second = producers.current()
    time.sleep(0.1)
    assert producers.current() is second
    producers.abandon(second, "no answer")
    assert wait_until(lambda: in_use(producers) not in (None, second), 5)
    assert builder.closed == [first, second]
    producers.close()


def test_only_the_producer_in_use_can_be_abandoned() -> None:
    builder = Builder()
    producers = builder.producers()
    assert wait_until(lambda: in_use(producers) is not None, 5)
    first = producers.current()
    for _ in range(5):
        producers.abandon(first, "no answer")
    assert wait_until(lambda: in_use(producers) is not None, 5)
    producers.abandon(first, "late")
    assert in_use(producers) is not None
    assert builder.calls == 2
    producers.close()


def test_a_builder_that_fails_is_asked_again_for_as_long_as_it_takes() -> None:
    builder = Builder(failures=200)
    producers = builder.producers()
    assert wait_until(lambda: in_use(producers) is not None, 5)
    assert builder.calls == 201
    producers.close()


def test_closing_closes_what_is_in_use_and_builds_no_more() -> None:
    builder = Builder()
    producers = builder.producers()
    assert wait_until(lambda: in_use(producers) is not None, 5)
    last = producers.current()
    producers.close()
    assert builder.closed == [last]
    assert in_use(producers) is None


@pytest.mark.real_only  # Tansu takes records for partitions that there are not.
def test_a_topic_made_again_with_fewer_partitions_leaves_no_producer_busy(topic: Topic) -> None:
    made: list[KafkaProducer] = []

    def build() -> KafkaProducer:
        made.append(producer.build(topic.settings))
        return made[-1]

    producers = Producers(build, producer.abandon, producer.is_astray, look_seconds=0.5)
    producers.start()
    try:
        assert producers.first.wait(10)
        for part in range(3):
            producers.current().send(topic.name, b"[]", partition=part).get(10)
        assert not producer.is_astray(made[0])
        topic.delete()
        topic.create(partitions=1)
        # Its metadata is good for five minutes, but for an upload to what is gone.
        with pytest.raises(KafkaError):
            made[0].send(topic.name, b"[]", partition=2).get(10)
        assert wait_until(lambda: len(made) == 2 and in_use(producers) is made[1], 20)
        made[1].send(topic.name, b"[]").get(10)
        before = time.process_time()
        time.sleep(1)
        assert time.process_time() - before < 0.3
    finally:
        producers.close()
