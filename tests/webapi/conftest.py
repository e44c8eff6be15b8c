"""An application of the web API over a backend's stores, asked without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis
from flask.testing import FlaskClient

from pipeline.cache import Cache
from pipeline.storage import Store
from tests.servers import Backend
from tests.stores import database, store
from webapi.app import compose
from webapi.metrics import Metrics

__all__ = ["NOW", "api", "clock", "database", "refusing", "store"]

NOW = datetime(2026, 3, 3, 12, 0, 30, 250_000, tzinfo=UTC)


@pytest.fixture
def clock() -> list[datetime]:
    """What time it is: replace its one element."""
    return [NOW]


@pytest.fixture
def refusing() -> FlaskClient:
    """A client of an application with no servers at all: what is refused is refused before they are asked."""
    nowhere = Store.open("mysql://tally:tally@127.0.0.1:1/nowhere")
    return compose(nowhere, Cache.open("redis://127.0.0.1:1/0"), Metrics(), lambda: NOW).test_client()


@pytest.fixture
def api(backend: Backend, store: Store, clock: list[datetime]) -> Iterator[FlaskClient]:
    """A client of an application whose database and cache are empty."""
    with redis.Redis.from_url(backend.cache_url) as client:
        client.flushdb()
    cache = Cache.open(backend.cache_url)
    yield compose(store, cache, Metrics(), lambda: clock[0]).test_client()
    cache.close()
