"""The consumer's place in its group, on a broker that makes it wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient

from cli.child import wait_until
from consumer import loop
from consumer.loop import Assignment, PollLoop
from consumer.main import _consumer
from consumer.metrics import Metrics
from consumer.pulse import Pulse
from pipeline import messages, schema, topic
from pipeline.kafka import RangeReader
from pipeline.settings import Settings
from pipeline.storage import Store
from pipeline.topic import TopicAdmin
from tests.servers import Backend


class Planner:
    """The consumer's poll loop in this process, with its clients."""

    def __init__(self, given: Settings) -> None:
        self.store = Store.open(given.database_url)
        self.admin, self.reader, assignment = TopicAdmin(given), RangeReader(given), Assignment()
        self.consumer: KafkaConsumer = _consumer(given, assignment)
        self.broker = messages.build_broker(given.redis_url)
        self.loop = PollLoop(
            given, self.store, self.broker, self.consumer, assignment, self.admin, self.reader, Metrics(), Pulse()
        )

    def comes_to(self, partitions: int, seconds: float = 30) -> bool:
        """Whether so many partitions are assigned, soon."""
        return wait_until(lambda: self.loop.step() and len(self.consumer.assignment()) == partitions, seconds, 0)

    def close(self) -> None:
        """Leaves the group."""
        for client in (self.consumer, self.reader, self.admin, self.broker):
            client.close()
        self.store.disconnect()


@pytest.fixture
def given(real: Backend) -> Settings:
    """Settings with their tables and topic."""
    settings = Settings(**{name.lower(): value for name, value in real.environment().items()})  # type: ignore[arg-type]
    schema.migrate(settings.database_url)
    topic.ensure(settings)
    return settings


@pytest.fixture
def planner(given: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Planner]:
    """A planner whose polls are shorter than any answer of the broker's: each join outlives one."""
    monkeypatch.setattr(loop, "POLL_MS", 1)
    with closing(Planner(given)) as planner:
        yield planner


def test_partitions_that_are_added_are_assigned_however_long_the_join_takes(
    real: Backend, given: Settings, planner: Planner
) -> None:
    assert planner.comes_to(given.kafka_partitions)
    with closing(KafkaAdminClient(bootstrap_servers=real.kafka_bootstrap_servers)) as admin:
        admin.create_partitions({given.kafka_topic: given.kafka_partitions + 1})
    # Asked for, the client learns of the new partition at once, and not only after five minutes.
    planner.consumer.topics()
    assert planner.comes_to(given.kafka_partitions + 1)
