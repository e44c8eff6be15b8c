"""The messages of the two queues, as Dramatiq's own workers read them."""

from __future__ import annotations

import time

import dramatiq
import msgspec
import pytest
from dramatiq.brokers.redis import RedisBroker

from pipeline import messages
from pipeline.batch import Range
from pipeline.errors import Unavailable
from tests.servers import Backend

ORDER = Range("topic-id", 3, 1, 2**40, 2**40 + 5, "ab" * 16)


def test_a_worker_gets_what_was_sent_and_nothing_is_kept_of_it(broker: RedisBroker) -> None:
    got: list[tuple[object, ...]] = []
    dramatiq.Actor(
        lambda batch, again: got.append((msgspec.convert(batch, Range), again)),
        broker=broker, actor_name="ingest", queue_name=messages.INGEST, priority=0, options={},
    )  # fmt: skip
    dramatiq.Actor(
        lambda **named: got.append(tuple(named.values())),
        broker=broker, actor_name="warm", queue_name=messages.STATS, priority=0, options={},
    )  # fmt: skip
    messages.enqueue(broker, messages.ingest(ORDER))
    messages.enqueue(broker, messages.ingest(ORDER, again=True))
    messages.enqueue(broker, messages.warm("traffic", "hour", "all"))
    assert messages.waiting(broker, messages.INGEST) == 2
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    deadline = time.monotonic() + 10
    while len(got) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.stop()
    assert sorted(got, key=str) == sorted([(ORDER, False), (ORDER, True), ("traffic", "hour", "all")], key=str)
    assert messages.waiting(broker, messages.INGEST) == messages.waiting(broker, messages.STATS) == 0


def test_a_message_is_small_and_names_no_row(broker: RedisBroker) -> None:
    encoded = messages.ingest(ORDER).encode()
    assert len(encoded) < 600
    assert set(dramatiq.Message.decode(encoded).kwargs["batch"]) == {
        "topic_id", "part", "generation", "first", "next", "digest",
    }  # fmt: skip
    assert messages.waiting(broker, messages.INGEST) == 0


def test_a_queue_that_is_away_is_named_in_a_second_and_found_again(broker: RedisBroker, backend: Backend) -> None:
    messages.check(broker)
    backend.servers["redis"].kill()
    before = time.monotonic()
    for question in (lambda: messages.enqueue(broker, messages.ingest(ORDER)), lambda: messages.check(broker)):
        with pytest.raises(Unavailable, match="redis"):
            question()
    assert time.monotonic() - before < 2
    backend.servers["redis"].start()
    messages.enqueue(broker, messages.ingest(ORDER))
    assert messages.waiting(broker, messages.INGEST) == 1
