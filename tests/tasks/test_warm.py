"""The statistics actor fills the cache, and survives a bad day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import redis
from structlog.testing import capture_logs

from pipeline.cache import KEPT_SECONDS, Cache
from pipeline.statistic import KINDS, SCOPES
from pipeline.storage import Store
from tasks.warm import warm
from tests.servers import Backend
from tests.stores import Seen, put

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


def test_every_combination_is_cached_for_as_long_as_its_range_allows(backend: Backend, store: Store) -> None:
    put(store, [Seen(NOW - timedelta(minutes=1))])
    cache = Cache.open(backend.cache_url)
    client = redis.Redis.from_url(backend.cache_url)
    client.flushdb()
    for kind in KINDS:
        for range_name in KEPT_SECONDS:
            for scope in SCOPES:
                assert warm(store, cache, kind, range_name, scope, NOW.replace(tzinfo=None))
    found = cache.statistic("errors", "week", "all")
    assert found is not None
    assert found.data == {"404": 1}
    limits = {"hour": 120, "day": 600, "week": 1800}
    for range_name, limit in limits.items():
        assert limit - 5 <= client.ttl(f"statistics:traffic:{range_name}:stored") <= limit
    client.close()
    cache.close()


def test_a_cache_that_is_away_is_not_the_actors_end(store: Store) -> None:
    cache = Cache.open("redis://127.0.0.1:1/0")
    assert not warm(store, cache, "errors", "hour", "stored", NOW)


def test_something_unforeseen_is_not_the_actors_end(store: Store) -> None:
    with capture_logs() as logs:
        assert not warm(store, Cache.open("redis://127.0.0.1:1/0"), "errors", "fortnight", "stored", NOW)
    assert [entry["event"] for entry in logs] == ["not warmed"]
