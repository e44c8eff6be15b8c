"""An application of the web API over a backend's stores, asked without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
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
OpenCache = Callable[[], Cache]


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
def open_cache(backend: Backend) -> Iterator[OpenCache]:
    """Opens the cache, which is empty, as often as it is called, and closes all of them after the test."""
    with redis.Redis.from_url(backend.cache_url) as client:
        client.flushdb()
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Cache.open(backend.cache_url)))


@pytest.fixture
def cache(open_cache: OpenCache) -> Cache:
    """The cache of the application."""
    return open_cache()


@pytest.fixture
def api(store: Store, cache: Cache, clock: list[datetime]) -> FlaskClient:
    """A client of an application whose database and cache are empty."""
    return compose(store, cache, Metrics(), lambda: clock[0]).test_client()
