"""Fetched bytes become records whatever a foreign producer wrote, or are said to be unreadable at once."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.record import MemoryRecords, MemoryRecordsBuilder

from pipeline import batch
from pipeline.errors import Unreadable
from pipeline.fetched import _PartitionRecords
from pipeline.kafka import RangeReader, consuming
from tests.topics import Foreign, Topic, topic

__all__ = ["topic"]

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


@pytest.fixture
def reader(topic: Topic) -> Iterator[RangeReader]:
    made = RangeReader(topic.settings)
    yield made
    made.close()


def written(first: int, names: list[str], codec: int = 0) -> bytes:
    """One producer's batch: a record with a header of each name."""
    builder = MemoryRecordsBuilder(magic=2, compression_type=codec, batch_size=1 << 20)
    for name in names:
        builder.append(timestamp=1, key=None, value=b"[]", headers=[(name, b"1")])
    builder.close()
    made = bytearray(builder.buffer())
    made[:8] = first.to_bytes(8)
    return bytes(made)


def taken(fetch_offset: int, fetched: bytes, count: int = 1000) -> Any:
    """What the client takes of a fetch."""
    return _PartitionRecords(fetch_offset, TopicPartition("t", 3), MemoryRecords(fetched)).take(count)


def test_a_header_s_name_that_is_not_utf_8_is_read_and_so_is_what_stands_after_it(
    topic: Topic, reader: RangeReader
) -> None:
    names = [Foreign(b"\xff\xfe"), Foreign(b"\xed\xa0\x80"), Foreign(b"\xc3\xa9"), Foreign(b"lines")]
    topic.produce([b"[1]", b"[2]"], headers=[(name, b"1") for name in names])
    topic.produce([b"[3]"], headers=(("lines", b"1"),))
    records = reader.read(0, 0, 3)
    assert [record.value for record in records] == [b"[1]", b"[2]", b"[3]"]
    for record in records[:2]:
        assert [name for name, _ in record.headers] == ["\\xff\\xfe", "\\xed\\xa0\\x80", "é", "lines"]
        assert batch.lines(record) == 1
    # Whoever reads them, and however they come, they have the same digest.
    assert batch.digest(records) == batch.digest([record for n in range(3) for record in reader.read(0, n, n + 1)])


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_of_any_compression(codec: int) -> None:
    fetched = written(5, ["a", Foreign(b"\xff"), "b"], codec) + written(8, ["c"], codec)
    assert [record.headers for record in taken(6, fetched)] == [[(name, b"1")] for name in ("\\xff", "b", "c")]


def test_partitions_that_rest_with_some_of_a_fetch_left_go_on_when_others_have_been_read_to_their_end(
    topic: Topic,
) -> None:
    partitions = [TopicPartition(topic.name, part) for part in range(3)]
    for partition in partitions:
        topic.produce([b"[]"] * 30, partition.partition)
    read: Counter[TopicPartition] = Counter()
    with contextlib.closing(consuming(topic.settings, group_id=None)) as client:
        client.assign(partitions)
        for partition in partitions:
            client.seek(partition, 0)

        def poll_until(count: int, *wanted: TopicPartition) -> None:
            deadline = time.monotonic() + 10
            while min(read[partition] for partition in wanted) < count:
                assert time.monotonic() < deadline, read
                polled = client.poll(timeout_ms=200, max_records=10)
                read.update({partition: len(records) for partition, records in polled.items()})

        rested = []
        for _ in range(2):
            (partition,) = client.poll(timeout_ms=5_000, max_records=10)
            read[partition] += 10
            client.pause(partition)
            rested.append(partition)
        poll_until(30, *set(partitions).difference(rested))
        client.resume(*rested)
        poll_until(30, *rested)


def test_what_cannot_be_taken_apart_is_said_from_where_it_begins_to_where_the_next_batch_does() -> None:
    damaged = bytearray(written(7, ["x", "y"]))
    damaged[-3] ^= 1
    fetched = _PartitionRecords(
        5, TopicPartition("t", 3), MemoryRecords(written(5, ["a", "b"]) + damaged + written(9, ["c"]))
    )
    assert [record.offset for record in fetched.take(1000)] == [5, 6]
    with pytest.raises(Unreadable) as said:
        fetched.take(1000)
    assert (said.value.part, said.value.first, said.value.next) == (3, 7, 9)
    # The client lets go of it, and asks for more.
    assert not fetched


def test_a_damaged_word_about_a_batch_s_length_takes_no_more_with_it_than_the_batch() -> None:
    damaged = bytearray(written(7, ["x", "y"]))
    damaged[23] ^= 0x40  # the last offset, as a difference to the first
    for rest, end in ((written(9, ["c"]), 9), (b"", 7 + 0x40000000 + 2)):
        with pytest.raises(Unreadable) as said:
            taken(7, bytes(damaged) + rest)
        assert (said.value.first, said.value.next) == (7, end)


def test_in_the_middle_of_a_batch_those_before_are_read() -> None:
    broken = bytearray(written(7, ["x", "y", "z"]))
    broken[-8] = 0x7F  # the last record's header count
    fetched = _PartitionRecords(8, TopicPartition("t", 3), MemoryRecords(bytes(broken)), check_crcs=False)
    assert [record.offset for record in fetched.take(1000)] == [8]
    with pytest.raises(Unreadable) as said:
        fetched.take(1000)
    assert (said.value.first, said.value.next) == (9, 10)


@pytest.mark.real_only
def test_a_damaged_log_is_said_in_time_and_the_reader_goes_on(topic: Topic, reader: RangeReader) -> None:
    for n in range(4):
        topic.produce([b"record %d" % n])
    topic.damage(b"record 2")
    before = time.monotonic()
    for _ in range(2):
        assert [record.value for record in reader.read(0, 0, 2)] == [b"record 0", b"record 1"]
        with pytest.raises(Unreadable) as said:
            reader.read(0, 1, 4)
        assert (said.value.part, said.value.first, said.value.next) == (0, 2, 3)
        assert [record.value for record in reader.read(0, 3, 4)] == [b"record 3"]
    assert time.monotonic() - before < 10
