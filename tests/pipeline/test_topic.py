"""The topic: made once, large enough, and known by an id of its own."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaError

from pipeline import topic as topics
from pipeline.errors import Unavailable
from pipeline.settings import Settings
from pipeline.topic import TopicAdmin
from tests.servers import Backend
from tests.topics import Topic, topic

__all__ = ["topic"]


@pytest.fixture
def admin(topic: Topic) -> Iterator[TopicAdmin]:
    made = TopicAdmin(topic.settings)
    yield made
    made.close()


def test_the_topic_is_made_once_with_its_partitions(topic: Topic, admin: TopicAdmin) -> None:
    assert topics.ensure(topic.settings) is False
    identity = admin.identity()
    assert identity is not None
    assert (identity.topic, identity.partitions) == (topic.name, 3)
    assert identity == admin.identity()
    admin.check()


def test_a_topic_made_again_has_another_id(topic: Topic, admin: TopicAdmin) -> None:
    before = admin.identity()
    topic.make_again()
    after = admin.identity()
    assert before is not None
    assert after is not None
    assert (before.cluster_id, before.topic) == (after.cluster_id, after.topic)
    assert before.topic_id != after.topic_id


def test_a_topic_that_is_not_there_is_none_and_is_not_made_by_asking(backend: Backend) -> None:
    settings = Settings(**{name.lower(): value for name, value in backend.environment().items()})
    admin = TopicAdmin(settings)
    for _ in range(2):
        assert admin.identity() is None
    with pytest.raises(Unavailable, match=settings.kafka_topic):
        admin.check()
    admin.close()


@pytest.mark.parametrize("code", [5, 29, -1, 72])
def test_an_answer_that_says_nothing_of_the_topic_is_not_taken_for_its_end(admin: TopicAdmin, code: int) -> None:
    # Leader not available, not authorized, unknown, listener not found: what follows from "gone" cannot be undone.
    answer: list[dict[str, Any]] = [{"error_code": code, "topic_id": None, "partitions": []}]
    client, admin._client = admin._client, SimpleNamespace(describe_topics=lambda _: answer)
    try:
        with pytest.raises(Unavailable, match="kafka"):
            admin.identity()
    finally:
        admin._client = client


@pytest.mark.real_only
def test_the_topic_takes_what_the_door_takes_and_a_little_more(topic: Topic) -> None:
    size = topic.settings.max_body_bytes
    topic.produce([b"x" * size])
    with pytest.raises(KafkaError):
        topic.produce([b"x" * (size + 2 * topics.TOPIC_HEADROOM)])
