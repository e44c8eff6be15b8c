"""How bytes that were fetched become records, whoever wrote them, and whichever partitions rested meanwhile.

kafka-python 3.0.12 takes a header's name for UTF-8 and raises where it is not, though a broker takes any bytes; and
after any error in a fetch it keeps what is left of it, which is nothing, and waits for more of it for ever: for this
partition and all others, in a `poll` that does not return. What it has of a partition that is paused it lays aside, and
may never take it up again. Its classes are mended here, for the clients that ask.
"""

from __future__ import annotations

import struct
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord, Fetcher
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch

from pipeline.errors import Unreadable


def mended(consumer: KafkaConsumer) -> KafkaConsumer:
    """The client, which from now on takes any header's name, with `\\xff` written for a byte that is not UTF-8.

    Its `poll` raises Unreadable for what it cannot take apart. Then a seek, also to the same place, has it go on. Of a
    partition that is resumed it gives what it had fetched before, and asks for more.
    """
    consumer._fetcher.__class__ = _Fetcher
    return consumer


class _PartitionRecords(Fetcher.PartitionRecords):  # type: ignore[misc]  # kafka-python ships no types
    """What was fetched of a partition, and is let go of where it cannot be taken apart."""

    def __init__(self, fetch_offset: int, tp: TopicPartition, records: MemoryRecords, **options: Any) -> None:
        self._batches = _Batches(records._buffer)
        super().__init__(fetch_offset, tp, self._batches, **options)

    def take(self, n: int | None = None) -> list[ConsumerRecord]:
        try:
            records: list[ConsumerRecord] = super().take(n)
        except Exception as error:
            self.drain()
            # Those before are with the caller; and the first of a batch may lie before what was asked for.
            first = max(self.next_fetch_offset, self.fetch_offset)
            raise Unreadable(self.topic_partition.partition, first, self._batches.end(first), error) from error
        return records


class _Batches(MemoryRecords):  # type: ignore[misc]
    """The producers' batches in a fetch."""

    __slots__ = ("_last",)

    def next_batch(self) -> Any:
        self._last = None
        batch = super().next_batch()
        if isinstance(batch, DefaultRecordBatch):
            batch.__class__ = _Batch
            self._last = batch
        return batch

    def end(self, first: int) -> int:
        """Where the batch ends that holds `first`, as far as that can be said of one that may be damaged.

        What it says of itself, unless the next one begins before; at least one offset.
        """
        ends = [] if self._last is None else [self._last.next_offset]
        if self._next_slice is not None:
            ends += struct.unpack_from(">q", self._next_slice)
        return min((end for end in ends if end > first), default=first + 1)


class _Batch(DefaultRecordBatch):  # type: ignore[misc]
    """A batch of any header names."""

    __slots__ = ()

    def _read_msg(self) -> DefaultRecord:
        try:
            return super()._read_msg()
        except UnicodeDecodeError:
            # It moves on only when a record is read to its end: read again, and the rest of this batch likewise.
            self._buffer = _Buffer(self._buffer)  # type: ignore[has-type, misc]
            return super()._read_msg()


class _Buffer(bytearray):
    """Bytes whose pieces can always be decoded."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Piece(found) if isinstance(found, bytearray) else found


class _Piece(bytearray):
    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _Fetcher(Fetcher):  # type: ignore[misc]
    """What asks for records, and hands them over."""

    PartitionRecords = _PartitionRecords

    def fetched_records(self, *given: Any, **named: Any) -> tuple[dict[TopicPartition, list[ConsumerRecord]], bool]:
        # What was laid aside is taken up where there is nothing in hand; it takes what is used up for something.
        if not self._next_partition_records:  # type: ignore[has-type]
            self._next_partition_records = None
        found: tuple[dict[TopicPartition, list[ConsumerRecord]], bool] = super().fetched_records(*given, **named)
        return found
