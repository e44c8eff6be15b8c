"""A queue of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dramatiq.brokers.redis import RedisBroker

from pipeline import messages
from tests.servers import Backend


@pytest.fixture
def broker(backend: Backend) -> Iterator[RedisBroker]:
    """A queue in an empty Redis database."""
    found = messages.build_broker(backend.environment()["REDIS_URL"])
    found.client.flushdb()
    yield found
    found.close()
