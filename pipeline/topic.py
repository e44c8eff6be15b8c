"""The topic: made by `tally migrate`, known by an id that a topic made again does not share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from pipeline.brokers import connecting, require_answer
from pipeline.errors import Unavailable
from pipeline.settings import Settings

# Above MAX_BODY_BYTES: a record's headers and framing; the producer's limit lies between the two.
PRODUCER_HEADROOM, TOPIC_HEADROOM = 32 * 1024, 64 * 1024
CONNECT_MS = 5_000


class Identity(msgspec.Struct, frozen=True):
    """Which topic this is, and how many partitions it has now."""

    cluster_id: str
    topic: str
    topic_id: str
    partitions: int


class TopicAdmin:
    """Questions about the topic, each answered by a broker and never from a cache."""

    def __init__(self, settings: Settings) -> None:
        """Raises Unavailable when no broker answers within five seconds."""
        self._topic = settings.kafka_topic
        require_answer(settings.kafka_bootstrap_servers)
        with _kafka_errors(), connecting() as connect:
            self._client = KafkaAdminClient(
                kafka_client=connect,
                bootstrap_servers=settings.kafka_bootstrap_servers.split(","),
                bootstrap_timeout_ms=CONNECT_MS,
                request_timeout_ms=CONNECT_MS,
            )
            self.cluster_id = str(self._client.describe_cluster()["cluster_id"])

    def identity(self) -> Identity | None:
        """The topic as it is now, None where there is none. Raises Unavailable."""
        with _kafka_errors():
            found = self._client.describe_topics([self._topic])
        code = found[0]["error_code"] if found else UnknownTopicOrPartitionError.errno
        if code == UnknownTopicOrPartitionError.errno:
            return None
        if code:
            # A topic without a leader, or that we may not see, is not gone: what follows from that cannot be undone.
            raise Unavailable("kafka", for_code(code)(f"topic {self._topic}"))
        topic_id = found[0].get("topic_id")
        return Identity(self.cluster_id, self._topic, str(topic_id or UUID(int=0)), len(found[0]["partitions"]))

    def check(self) -> None:
        """Raises Unavailable unless a broker answers now and has the topic."""
        if self.identity() is None:
            raise Unavailable("kafka", f"there is no topic {self._topic}; `tally migrate` makes it")

    def create(self, partitions: int, replication: int, max_message_bytes: int) -> bool:
        """Makes the topic; returns False where it was there. Raises Unavailable."""
        asked: dict[str, Any] = {
            "num_partitions": partitions,
            "replication_factor": replication,
            "configs": {"max.message.bytes": str(max_message_bytes)},
        }
        with _kafka_errors():
            try:
                self._client.create_topics({self._topic: asked}, wait_for_metadata=True)
            except TopicAlreadyExistsError:
                return False
        return True

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()


def ensure(settings: Settings) -> bool:
    """Makes the topic where it is missing, large enough for `MAX_BODY_BYTES`; returns whether it did.

    Raises Unavailable when Kafka does not answer.
    """
    admin = TopicAdmin(settings)
    try:
        return admin.create(
            settings.kafka_partitions, settings.kafka_replication, settings.max_body_bytes + TOPIC_HEADROOM
        )
    finally:
        admin.close()


@contextmanager
def _kafka_errors() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise Unavailable("kafka", error) from error
