"""The cache keeps what it is given, and is quick to say that it cannot."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator

import msgspec
import pytest
import redis
from prometheus_client import CollectorRegistry, Counter

from pipeline import status
from pipeline.cache import Cache
from pipeline.errors import ConfigurationError, Unavailable
from pipeline.statistic import Statistic
from tests.servers import Backend

HITS = Statistic("errors", {"404": 3}, {"scope": "stored"})


@pytest.fixture
def client(backend: Backend) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(backend.cache_url)
    client.flushdb()
    yield client
    client.close()


def test_a_statistic_comes_back_as_it_was_kept(backend: Backend, client: redis.Redis) -> None:
    cache = Cache.open(backend.cache_url)
    assert cache.statistic("errors", "hour", "stored") is None
    cache.keep_statistic(HITS, "hour", "stored")
    assert cache.statistic("errors", "hour", "stored") == HITS
    assert cache.statistic("errors", "hour", "all") is None
    client.set("statistics:errors:hour:stored", b'{"type": 1')
    assert cache.statistic("errors", "hour", "stored") is None
    cache.close()


@pytest.mark.parametrize(
    ("statistic", "most"),
    [
        (HITS, 600),
        (Statistic("errors", {}, {}), 5),
        (Statistic("traffic", {"total_request": 0, "unique_ips": 0}, {}), 5),
    ],
)
def test_nothing_is_kept_for_a_moment_only(
    backend: Backend, client: redis.Redis, statistic: Statistic, most: int
) -> None:
    cache = Cache.open(backend.cache_url)
    cache.keep_statistic(statistic, "day", "all")
    left = client.ttl(f"statistics:{statistic.type}:day:all")
    assert most - 5 < left <= most
    cache.close()


def test_a_cache_that_is_away_is_asked_once_in_two_seconds() -> None:
    with socket.socket() as mute:  # takes connections and never answers
        mute.bind(("127.0.0.1", 0))
        mute.listen(8)
        now = [100.0]
        client = redis.Redis.from_url(
            f"redis://127.0.0.1:{mute.getsockname()[1]}/0", socket_timeout=0.1, retry=None, protocol=2
        )
        cache = Cache(client, lambda: now[0])

        def seconds() -> float:
            begun = time.monotonic()
            with pytest.raises(Unavailable, match="cache"):
                cache.statistic("errors", "hour", "stored")
            return time.monotonic() - begun

        assert seconds() >= 0.1
        now[0] += 1.9
        assert seconds() < 0.05
        now[0] += 0.2
        assert seconds() >= 0.1
        cache.close()


def test_an_address_that_makes_no_sense_names_its_setting() -> None:
    with pytest.raises(ConfigurationError, match="CACHE_URL"):
        Cache.open("http://localhost")


def test_a_process_says_what_it_counts_and_its_last_error_for_an_hour(backend: Backend, client: redis.Redis) -> None:
    cache = Cache.open(backend.cache_url)
    handlers = list(logging.getLogger().handlers)
    registry = CollectorRegistry()
    lines = Counter("lines", "Lines.", ["part"], registry=registry)
    lines.labels("0").inc(1)
    lines.labels("1").inc(2)
    loop = status.loop(cache, "consumer", registry)
    try:
        logging.getLogger("somebody").error("it broke at %s", "noon")
        assert loop.step() is False
        key = f"process:consumer:{socket.gethostname()}:{os.getpid()}"
        said = msgspec.json.decode(client.get(key))
        assert said["counters"] == {"lines_total": 3}
        assert said["gauges"] == {}
        assert said["last_error"]["error"] == "it broke at noon"
        assert 3_590 <= client.ttl(key) <= 3_600
    finally:
        logging.getLogger().handlers[:] = handlers
        cache.close()


def test_a_status_that_finds_no_cache_is_dropped() -> None:
    handlers = list(logging.getLogger().handlers)
    try:
        assert status.loop(Cache.open("redis://127.0.0.1:1/0"), "consumer", CollectorRegistry()).step() is False
    finally:
        logging.getLogger().handlers[:] = handlers
