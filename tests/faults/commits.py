"""How far Kafka was told that a pipeline is, beside how far it is."""

from __future__ import annotations

import contextlib

from kafka.admin import KafkaAdminClient

from pipeline.brokers import connecting, require_answer
from tests.integration.pipeline import Pipeline

TIMEOUT_MS = 2_000


class Commits:
    """The group's offsets, held against MySQL's plan of the topic as it is now."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Raises KafkaError, or Unavailable."""
        self._pipeline = pipeline
        self._group, self._topic = pipeline.environment["KAFKA_GROUP"], pipeline.environment["KAFKA_TOPIC"]
        servers = pipeline.backend.kafka_bootstrap_servers
        require_answer(servers)
        with connecting() as connect:
            self._admin = KafkaAdminClient(
                kafka_client=connect,
                bootstrap_servers=servers,
                request_timeout_ms=TIMEOUT_MS,
                bootstrap_timeout_ms=TIMEOUT_MS,
            )

    def beyond(self) -> dict[int, tuple[int, int]] | None:
        """The partitions of which Kafka was told more than is planned and done: what it was told, and what is.

        None where the topic is away, or was made again between two questions. What is done only grows, so it is asked
        for last: what Kafka was told by then, it was told of that or of less. Raises what a client raises of a server
        that is away.
        """
        before = self._topic_id()
        committed = self._admin.list_group_offsets(self._group)[self._group]
        if before is None or self._topic_id() != before:
            return None
        done = self._done(before)
        told = {part.partition: said.offset for part, said in committed.items() if part.topic == self._topic}
        # A stream without a plan has nothing done.
        return {part: (offset, done.get(part, 0)) for part, offset in told.items() if offset > done.get(part, 0)}

    def close(self) -> None:
        """Ends the client."""
        self._admin.close()

    def _topic_id(self) -> str | None:
        (found,) = self._admin.describe_topics([self._topic])
        return None if found["error_code"] else str(found["topic_id"])

    def _done(self, topic_id: str) -> dict[int, int]:
        rows = self._pipeline.query(
            "SELECT p.part, COALESCE(MIN(b.first), p.next_plan) FROM stream s JOIN progress p ON p.stream = s.id"
            " LEFT JOIN batch b ON b.stream = p.stream AND b.part = p.part AND b.state = 'pending'"
            f" WHERE s.topic = '{self._topic}' AND s.topic_id = '{topic_id}' GROUP BY p.part, p.next_plan"
        )
        return {part: int(offset) for part, offset in rows}


def require_within_the_plan(pipeline: Pipeline) -> None:
    """Asserts that what Kafka was told is planned and done."""
    with contextlib.closing(Commits(pipeline)) as commits:
        assert commits.beyond() == {}
