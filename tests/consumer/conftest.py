"""The fixtures of what plans: a database, a topic, a queue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dramatiq.brokers.redis import RedisBroker

from pipeline import messages
from tests.servers import Backend
from tests.stores import database, store
from tests.topics import topic

__all__ = ["database", "store", "topic"]


@pytest.fixture
def broker(backend: Backend) -> Iterator[RedisBroker]:
    """A queue in an empty Redis database of its own."""
    found = messages.build_broker(backend.environment()["REDIS_URL"])
    found.client.flushdb()
    yield found
    found.close()
    found.client.connection_pool.disconnect()
