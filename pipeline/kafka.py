"""What every consuming client is set to, and reading a range of the topic by its offsets, outside any group."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from pipeline.brokers import connecting, require_answer
from pipeline.errors import RangeChanged, Unavailable
from pipeline.fetched import mended
from pipeline.settings import MIB, Settings

CONNECT_MS = 5_000


def consuming(settings: Settings, **own: Any) -> KafkaConsumer:
    """A consumer that commits, resets and creates nothing by itself, with options of its own; `fetched.mended`.

    Raises Unavailable where it cannot be built.
    """
    try:
        with connecting() as connect:
            client = KafkaConsumer(
                bootstrap_servers=settings.kafka_bootstrap_servers.split(","),
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                max_poll_records=1_000,
                # A third of a batch as Kafka keeps it, and so little of what follows: kafka-python reads 4 KiB off the
                # wire at a time, of every partition at once, and takes it apart in memory.
                max_partition_fetch_bytes=MIB // 4,
                bootstrap_timeout_ms=CONNECT_MS,
                request_timeout_ms=15_000,
                reconnect_backoff_max_ms=1_000,
                metrics_enabled=False,
                kafka_client=connect,
                **own,
            )
    except KafkaError as error:
        raise Unavailable("kafka", error) from error
    return mended(client)


class RangeReader:
    """Reads ranges of offsets; one thread's, as kafka-python's consumer is."""

    def __init__(self, settings: Settings) -> None:
        """Raises Unavailable when no broker answers within five seconds."""
        self._topic = settings.kafka_topic
        require_answer(settings.kafka_bootstrap_servers)
        # A fetch waits at the log's end; the next range's would queue behind it on the same connection.
        self._consumer = consuming(settings, group_id=None, fetch_max_wait_ms=10)

    def read(self, part: int, first: int, after: int, seconds: float = 20.0) -> list[ConsumerRecord]:
        """The records of partition `part` with `first` ≤ offset < `after`, in order; gaps are the log's own.

        Raises RangeChanged where the log does not reach over the range, Unreadable where it does and cannot be taken
        apart, and Unavailable when it could not be read within `seconds`.
        """
        partition = TopicPartition(self._topic, part)
        try:
            if self._consumer.assignment() != {partition}:
                self._consumer.assign([partition])
            self._consumer.resume(partition)
            self._forget()
            self._consumer.seek(partition, first)
            return self._until(partition, first, after, time.monotonic() + seconds)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            raise RangeChanged(f"{self._topic}/{part} no longer holds {first} to {after}: {error!r}") from error
        except KafkaError as error:
            raise Unavailable("kafka", error) from error
        finally:
            self._forget()
            if self._consumer.assignment() == {partition}:
                self._consumer.pause(partition)

    def beginnings(self, parts: Sequence[int]) -> dict[int, int]:
        """The log's first offset of each partition. Raises Unavailable."""
        return self._offsets(self._consumer.beginning_offsets, parts)

    def _end(self, part: int) -> int:
        """The offset after the log's last record. Raises Unavailable."""
        return self._offsets(self._consumer.end_offsets, [part])[part]

    def _offsets(self, ask: Callable[..., dict[TopicPartition, int]], parts: Sequence[int]) -> dict[int, int]:
        partitions = [TopicPartition(self._topic, part) for part in parts]
        try:
            found = ask(partitions, timeout_ms=CONNECT_MS)
        except KeyError as error:
            # Added since the client last asked which partitions there are: it leaves such a one out of its answer.
            with suppress(KafkaError):
                self._consumer.topics()
            raise Unavailable("kafka", f"partition {error} is new") from error
        except KafkaError as error:
            raise Unavailable("kafka", error) from error
        return {partition.partition: int(offset) for partition, offset in found.items()}

    def close(self) -> None:
        """Ends the connection."""
        self._consumer.close()

    def _forget(self) -> None:
        """Drops what was fetched past a range: kafka-python would answer from it, whatever has become of the log.

        After a range, for it takes memory; and before one, for more may have come meanwhile.
        """
        fetcher = self._consumer._fetcher
        # Each holds itself: until it is drained, or garbage is collected, a fetch stays in memory, and its lines.
        for records in filter(None, (fetcher._next_partition_records, *fetcher._paused_partition_records.values())):
            records.drain()
        fetcher._completed_fetches.clear()
        fetcher._paused_completed_fetches.clear()
        fetcher._paused_partition_records.clear()
        fetcher._next_partition_records = None

    def _until(self, partition: TopicPartition, first: int, after: int, deadline: float) -> list[ConsumerRecord]:
        read: list[ConsumerRecord] = []
        while time.monotonic() < deadline:
            # No more than is wanted: what was fetched past the range would be taken apart for nothing.
            left = after - (read[-1].offset + 1 if read else first)
            records = self._consumer.poll(timeout_ms=200, max_records=left).get(partition, [])
            read.extend(record for record in records if record.offset < after)
            if (records and records[-1].offset >= after - 1) or (self._consumer.position(partition) or 0) >= after:
                return read
            # To ask for what comes after the log's end is no error: it would be waited for.
            if not records and self._end(partition.partition) < after:
                raise RangeChanged(f"{partition.topic}/{partition.partition} ends before {after}")
        raise Unavailable("kafka", f"{partition.topic}/{partition.partition} was not read up to {after} in time")
