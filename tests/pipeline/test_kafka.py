"""Reading a range of a partition, outside any group."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaProducer
from kafka.consumer.fetcher import Fetcher

from pipeline.errors import RangeChanged, Unavailable
from pipeline.kafka import RangeReader
from pipeline.settings import Settings
from pipeline.topic import TopicAdmin
from tests.topics import Topic, topic

__all__ = ["topic"]


@pytest.fixture
def reader(topic: Topic) -> Iterator[RangeReader]:
    made = RangeReader(topic.settings)
    yield made
    made.close()


def test_a_range_is_exactly_its_records_in_any_order_of_asking(topic: Topic, reader: RangeReader) -> None:
    topic.produce([f"{n}".encode() for n in range(50)], part=1)
    topic.produce([b"other"], part=2)
    for first, after in ((0, 50), (10, 11), (49, 50), (0, 1), (5, 30), (5, 5 + 1)):
        found = reader.read(1, first, after)
        assert [(record.offset, record.value) for record in found] == [(n, b"%d" % n) for n in range(first, after)]
    assert [record.value for record in reader.read(2, 0, 1)] == [b"other"]
    assert [record.offset for record in reader.read(1, 3, 5)] == [3, 4]


@pytest.mark.real_only  # Tansu forgets no record before its time.
def test_what_was_fetched_with_a_range_answers_for_no_other_later(topic: Topic, reader: RangeReader) -> None:
    topic.produce([b"first", b"second", b"third"])
    assert len(reader.read(0, 0, 1)) == 1
    topic.delete_records(0, 2)
    with pytest.raises(RangeChanged):
        reader.read(0, 1, 2)
    assert [record.value for record in reader.read(0, 2, 3)] == [b"third"]


def test_nothing_that_was_fetched_stays_in_memory(topic: Topic, reader: RangeReader) -> None:
    topic.produce([b"x" * 1_000] * 20)
    gc.collect()
    gc.disable()
    try:
        for first in range(10):
            assert len(reader.read(0, first, first + 1)) == 1
        held = [one for one in gc.get_objects() if isinstance(one, Fetcher.PartitionRecords)]
    finally:
        gc.enable()
    assert not held


def test_values_keys_and_headers_come_as_they_went(topic: Topic, reader: RangeReader) -> None:
    headers = (("lines", b"1"), ("key", b""), ("lines", b"2"), ("é", b"\xff"))
    topic.produce([b"\0\xff", b""], headers=headers, timestamp=1_749_552_100_123)
    for record, value in zip(reader.read(0, 0, 2), (b"\0\xff", b""), strict=True):
        assert (record.value, tuple(record.headers), record.timestamp) == (value, headers, 1_749_552_100_123)


def test_a_record_as_large_as_the_door_allows_is_read(topic: Topic, reader: RangeReader) -> None:
    large = b"x" * topic.settings.max_body_bytes
    topic.produce([b"small", large, b"small"])
    assert [record.value for record in reader.read(0, 0, 3)] == [b"small", large, b"small"]


def test_a_range_that_the_log_does_not_reach_is_said_and_not_waited_for(topic: Topic, reader: RangeReader) -> None:
    topic.produce([b"only"])
    before = time.monotonic()
    for first in (0, 1):
        with pytest.raises(RangeChanged):
            reader.read(0, first, 2)
    assert time.monotonic() - before < 4
    assert len(reader.read(0, 0, 1)) == 1


@pytest.mark.real_only
def test_a_range_that_the_log_no_longer_holds_is_said(topic: Topic, reader: RangeReader) -> None:
    topic.produce([b"x"] * 10)
    topic.delete_records(0, before=5)
    for first, after in ((0, 3), (4, 6), (20, 21)):
        with pytest.raises(RangeChanged):
            reader.read(0, first, after)
    assert len(reader.read(0, 5, 10)) == 5
    assert reader.beginnings([0, 1]) == {0: 5, 1: 0}


@pytest.mark.real_only
def test_offsets_of_transactions_are_holes_and_what_was_aborted_is_not_read(topic: Topic, reader: RangeReader) -> None:
    producer = KafkaProducer(
        bootstrap_servers=topic.settings.kafka_bootstrap_servers, transactional_id=f"test-{topic.name}"
    )
    producer.init_transactions()
    for values, commit in (([b"a", b"b"], True), ([b"aborted"], False), ([b"c"], True)):
        producer.begin_transaction()
        for value in values:
            producer.send(topic.name, value, partition=0)
        producer.flush()
        (producer.commit_transaction if commit else producer.abort_transaction)()
    producer.close()
    # Offsets 2, 4 and 6 are the transactions' ends.
    assert [(record.offset, record.value) for record in reader.read(0, 0, 7)] == [(0, b"a"), (1, b"b"), (5, b"c")]
    assert [record.offset for record in reader.read(0, 2, 5)] == []


def test_the_log_s_beginning_is_known_of_empty_partitions_too(reader: RangeReader) -> None:
    assert reader.beginnings([0, 1, 2]) == {0: 0, 1: 0, 2: 0}


# What kafka-python's constructor leaves open when it gives up is found by the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("client", [RangeReader, TopicAdmin])
def test_a_broker_that_is_away_is_named_within_seconds(client: Callable[[Settings], object]) -> None:
    before = time.monotonic()
    with pytest.raises(Unavailable, match="kafka") as refused:
        client(Settings(kafka_bootstrap_servers="127.0.0.1:1"))
    assert time.monotonic() - before < 10
    del refused
    gc.collect()
