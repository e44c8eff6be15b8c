"""A topic of a test's own, on whichever broker: written, emptied, deleted and made again."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

from pipeline import topic as topics
from pipeline.settings import Settings
from tests.records import Headers
from tests.servers import Backend


class Foreign(str):
    """A header's name of any bytes, as a producer that is not Python may write it."""

    _bytes: bytes

    def __new__(cls, name: bytes) -> Foreign:
        made = super().__new__(cls, name.decode(errors="replace"))
        made._bytes = name
        return made

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002 (as a string's)
        return self._bytes


class Topic:
    """A topic with three partitions, and a pipeline's settings for it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        """`log` is the directory where Kafka has it, if it is Apache Kafka."""
        self.environment = environment
        self._log = log
        self.settings = Settings(**{name.lower(): value for name, value in environment.items()})
        self.name = self.settings.kafka_topic
        topics.ensure(self.settings)
        servers = self.settings.kafka_bootstrap_servers
        self.admin = KafkaAdminClient(bootstrap_servers=servers)
        self._producer = KafkaProducer(bootstrap_servers=servers, max_request_size=9_000_000)

    def produce(
        self, values: Sequence[bytes | None], part: int = 0, headers: Headers = (), timestamp: int | None = None
    ) -> list[int]:
        """Writes records to a partition; returns their offsets."""
        options = {"partition": part, "headers": list(headers), "timestamp_ms": timestamp}
        # The client asks for a key where there is no value.
        sent = [self._producer.send(self.name, value, b"" if value is None else None, **options) for value in values]
        return [future.get(20).offset for future in sent]

    def upload(self, lines: Sequence[object], part: int = 0, key: str | None = None) -> int:
        """Writes one upload as the receiver does; returns its offset."""
        headers: Headers = (("lines", str(len(lines)).encode()),)
        headers += () if key is None else (("key", key.encode()),)
        return self.produce([json.dumps(lines).encode()], part, headers)[0]

    def delete_records(self, part: int, before: int) -> None:
        """What retention does: the log begins at `before`."""
        self.admin.delete_records({TopicPartition(self.name, part): before})

    def damage(self, value: bytes, part: int = 0) -> None:
        """Changes one byte in the middle of a value that stands in Kafka's file, as a bad disk does."""
        (path,) = self._log.glob(f"{self.name}-{part}/*.log")
        at = path.read_bytes().index(value) + len(value) // 2
        with path.open("r+b") as file:
            file.seek(at)
            file.write(b"#")

    def make_again(self) -> None:
        """Deletes the topic, and makes another of the same name."""
        self.delete()
        self.create()

    def delete(self) -> None:
        """Deletes the topic."""
        self.admin.delete_topics([self.name])
        deadline = time.monotonic() + 20
        while any(found["error_code"] == 0 for found in self.admin.describe_topics([self.name])):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def create(self, partitions: int | None = None) -> None:
        """Makes the topic, with as many partitions as its settings say or with these."""
        more = {} if partitions is None else {"kafka_partitions": partitions}
        topics.ensure(self.settings.model_copy(update=more))

    def commit(self, offsets: dict[int, int]) -> None:
        """Sets the group's offsets, as a person's tool does: nobody may be in the group."""
        with self._group() as consumer:
            consumer.commit(
                {TopicPartition(self.name, part): OffsetAndMetadata(at, "", -1) for part, at in offsets.items()}
            )

    def committed(self, part: int) -> int | None:
        """The group's offset of a partition."""
        with self._group() as consumer:
            return consumer.committed(TopicPartition(self.name, part))

    def members(self) -> set[str]:
        """The ids of who is in the group; nobody while they have not agreed who reads what."""
        group = self.settings.kafka_group
        found = self.admin.describe_groups([group])[group]
        return {member["member_id"] for member in found["members"]} if found["group_state"] == "Stable" else set()

    def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition."""
        with self._group() as consumer:
            parts = [TopicPartition(self.name, part) for part in range(self.settings.kafka_partitions)]
            deadline = time.monotonic() + 20
            while True:
                try:
                    return {partition.partition: end for partition, end in consumer.end_offsets(parts).items()}
                except KeyError:
                    # The client leaves out a partition that had no leader yet when it asked which there are.
                    assert time.monotonic() < deadline
                    consumer.topics()
                    time.sleep(0.1)

    def close(self) -> None:
        """Ends the clients."""
        self._producer.close(timeout=2)
        self.admin.close()

    @contextlib.contextmanager
    def _group(self) -> Iterator[KafkaConsumer]:
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers,
            group_id=self.settings.kafka_group,
            enable_auto_commit=False,
        )
        try:
            yield consumer
        finally:
            consumer.close(autocommit=False)


@pytest.fixture
def topic(backend: Backend) -> Iterator[Topic]:
    """A new topic; its pipeline's database is empty, without tables."""
    made = Topic(backend.environment(KAFKA_PARTITIONS="3"), backend.directory / "kafka" / "log")
    yield made
    made.close()
