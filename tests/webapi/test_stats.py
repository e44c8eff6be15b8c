"""`/stats`: the contract's answers, from the cache or from the store."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cache import Cache
from pipeline.statistic import KINDS, RANGES, SCOPES
from pipeline.storage import Store
from tests.servers import Backend
from tests.stores import Seen, agree, empty, put
from tests.webapi.conftest import NOW
from tests.webapi.recount import Answer, asked, batches, exact, fill, filters, is_estimated, passes, windows
from webapi.app import compose
from webapi.metrics import Metrics

LINES = [
    Seen(NOW - timedelta(minutes=1), ip="10.0.0.1", status=404, latency_ms=10),
    Seen(NOW - timedelta(minutes=2), ip="10.0.0.2", status=500, latency_ms=21),
    Seen(NOW - timedelta(minutes=2), ip="10.0.0.2", status=301, latency_ms=1),
    Seen(NOW - timedelta(minutes=3), ip="10.0.0.3", status=200, latency_ms=999),
    Seen(NOW - timedelta(hours=3), ip="10.0.0.4", status=500, latency_ms=3),
]


def test_the_contracts_answers(api: FlaskClient, store: Store) -> None:
    put(store, LINES)

    def data(query: str) -> Any:
        answer = api.get(f"/stats?{query}").json
        return answer["type"], answer["data"]

    percentiles = {"p50_latency": 10, "p90_latency": 21, "p95_latency": 21, "p99_latency": 21}
    assert data("type=latency&range=hour") == ("latency", {"avg_latency": 10.6667, "max_latency": 21} | percentiles)
    assert data("type=traffic&range=hour") == ("traffic", {"total_request": 3, "unique_ips": 2})
    assert data("type=errors&range=hour") == ("errors", {"301": 1, "404": 1, "500": 1})
    assert data("type=errors&range=day") == ("errors", {"301": 1, "404": 1, "500": 2})
    assert data("type=errors&range=week&scope=all") == ("errors", {"404": 1, "500": 2})
    assert data("type=traffic&range=hour&scope=all") == ("traffic", {"total_request": 4, "unique_ips": 3})
    everything = data("type=latency&scope=all")[1]
    assert (everything["avg_latency"], everything["max_latency"], everything["p50_latency"]) == (257.75, 999, 10)
    assert everything["p99_latency"] == pytest.approx(999, rel=0.01)
    assert data("") == data("type=errors&range=hour&scope=stored")


def test_an_empty_window_answers_zeros(api: FlaskClient) -> None:
    for query in (f"range={range_name}&scope={scope}" for range_name in RANGES for scope in SCOPES):
        latencies = ("avg_latency", "max_latency", "p50_latency", "p90_latency", "p95_latency", "p99_latency")
        assert api.get(f"/stats?type=latency&{query}").json["data"] == dict.fromkeys(latencies, 0)
        assert api.get(f"/stats?type=traffic&{query}").json["data"] == {"total_request": 0, "unique_ips": 0}
        assert api.get(f"/stats?type=errors&{query}").json["data"] == {}


def test_a_cached_answer_says_so_and_how_old_it_is(api: FlaskClient, store: Store, clock: list[datetime]) -> None:
    first = api.get("/stats?type=errors")
    put(store, LINES)
    clock[0] = NOW + timedelta(seconds=42)
    second = api.get("/stats?type=errors&range=hour&_=7")
    assert (first.headers["X-Cache"], first.headers["Age"]) == ("miss", "0")
    assert (second.headers["X-Cache"], second.headers["Age"]) == ("hit", "42")
    assert first.json == second.json
    assert second.json["meta"] == {
        "range": "hour",
        "scope": "stored",
        "window": {"from": "2026-03-03T11:00:30.25Z", "to": "2026-03-03T12:00:30.25Z"},
        "as_of": "2026-03-03T12:00:30.25Z",
        "computed_at": "2026-03-03T12:00:30.25Z",
        "data_to": second.json["meta"]["data_to"],
        "lag_seconds": 0.0,
        "coverage": {"source": "rollups and rows", "lines": "stored", "complete": True},
    }
    assert api.get("/stats?type=traffic&scope=all").json["meta"]["estimated"] == {"unique_ips": 0.0081}


def test_a_miss_is_cached_for_as_long_as_its_range_allows(api: FlaskClient, store: Store, backend: Backend) -> None:
    put(store, LINES)
    with redis.Redis.from_url(backend.cache_url) as client:
        for range_name, limit in {"hour": 120, "day": 600, "week": 1800}.items():
            api.get(f"/stats?type=latency&range={range_name}")
            assert limit - 5 <= client.ttl(f"statistics:latency:{range_name}:stored") <= limit


@pytest.mark.parametrize(
    "kept",
    [
        b"no json",
        b'{"type": "errors", "data": {"\xff": 1}, "meta": {}}',
        b'{"type": "errors", "data": {"1": ' + b"[" * 100_000,
        b'{"type": "errors", "data": {"1": 1}, "meta": {}}',
        b'{"type": "errors", "data": {"1": 1}, "meta": {"computed_at": 7}}',
        b'{"type": "errors", "data": {"1": 1}, "meta": {"computed_at": "2026-03-03T12:00:30"}}',
        b'{"type": "latency", "data": {"1": 1}, "meta": {"computed_at": "2026-03-03T12:00:30Z"}}',
    ],
)
def test_what_nobody_of_ours_put_into_the_cache_is_computed_again(
    api: FlaskClient, store: Store, backend: Backend, kept: bytes
) -> None:
    put(store, LINES)
    with redis.Redis.from_url(backend.cache_url) as client:
        client.set("statistics:errors:hour:stored", kept)
    answer = api.get("/stats?type=errors")
    assert (answer.status_code, answer.headers["X-Cache"]) == (200, "miss")
    assert answer.json["data"] == {"301": 1, "404": 1, "500": 1}
    assert api.get("/stats?type=errors").headers["X-Cache"] == "hit"


def test_without_redis_the_answer_comes_from_the_store(store: Store) -> None:
    put(store, LINES)
    cache = Cache.open("redis://127.0.0.1:1/0")
    api = compose(store, cache, Metrics(), lambda: NOW).test_client()
    for kind in KINDS:
        answer = api.get(f"/stats?type={kind}")
        assert (answer.status_code, answer.headers["X-Cache"]) == (200, "miss")
    assert api.get("/stats?type=traffic").json["data"] == {"total_request": 3, "unique_ips": 2}


@pytest.mark.any_servers
def test_redis_killed_under_load_is_no_error(api: FlaskClient, store: Store, backend: Backend) -> None:
    put(store, LINES)
    pages = [f"/stats?type={kind}&range=day" for kind in KINDS] + ["/stats/series?range=day", "/stats/top?range=day"]
    before = {page: api.get(page).json["data"] for page in pages}
    answers: list[tuple[int, bool]] = []
    client = api.application.test_client

    def ask() -> None:
        mine = client()
        for turn in range(30):
            answer = mine.get(pages[turn % len(pages)])
            answers.append((answer.status_code, answer.json["data"] == before[pages[turn % len(pages)]]))
        store.disconnect()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    backend.servers["cache"].kill()
    for thread in threads:
        thread.join()
    assert answers == [(200, True)] * 90
    assert api.get("/stats").headers["X-Cache"] == "miss"


@pytest.mark.real_only
def test_a_database_that_is_away_is_named_and_found_again(api: FlaskClient, store: Store, backend: Backend) -> None:
    put(store, LINES)
    pages = ["/stats?type=traffic&status=4xx", "/stats/series?status=4xx", "/stats/top?by=ip"]
    before = [api.get(page).json["data"] for page in pages]
    with redis.Redis.from_url(backend.cache_url) as client:
        client.flushdb()
    backend.servers["database"].kill()
    for page in pages:
        answer = api.get(page)
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
        assert "database" in answer.json["detail"]
        assert int(answer.headers["Retry-After"]) > 0
    backend.mend()
    assert [api.get(page).json["data"] for page in pages] == before


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("type=error", "type"),
        ("range=month", "range"),
        ("scope=kept", "scope"),
        ("limit=5", "limit"),
        ("type=errors&type=errors", "type"),
        ("to=2025-06-10T10:41:40Z", "to"),
    ],
)
def test_a_bad_parameter_is_named(refusing: FlaskClient, query: str, name: str) -> None:
    answer = refusing.get(f"/stats?{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json["errors"][0]["pointer"] == name


_examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_examples
@given(found=batches(), query=filters, window=windows, scope=st.sampled_from(SCOPES))
def test_every_filter_equals_a_recount(
    api: FlaskClient, store: Store, found: Any, query: dict[str, str], window: list[datetime], scope: str
) -> None:
    empty(store)
    lines = fill(store, found)
    for kind in KINDS:
        answer = Answer(api, "/stats", asked(query, window, scope) | {"type": kind}, lines)
        answer.of_rollups(*({"errors": ["status"]}.get(kind, ["class"])))
        if scope == "stored":
            assert "rounded_to_seconds" not in answer.meta
        data, previous = dict(answer.json["data"]), answer.json["data"].get("previous")
        data.pop("previous", None)
        expected = exact(kind, answer.lines, answer.start, answer.stop, scope)
        _visitors(answer.meta, data, lines, query, window)
        expected |= {name: value for name, value in data.items() if name == "unique_ips"}
        agree(data, expected)
        told = {**answer.meta.get("estimated", {})}
        told.pop("unique_ips", None)
        estimated = is_estimated(answer.lines) and kind in ("latency", "summary")
        if previous is not None and (meta := answer.meta.get("previous")):
            before = Answer.inside(meta, query, lines)
            estimated |= is_estimated(before)
            expected = exact(kind, before, *Answer.window(meta), scope) | {"unique_ips": previous["unique_ips"]}
            agree(previous, expected)
            end = window[0] - timedelta(microseconds=1)
            _visitors(meta, previous, lines, query, (end - (window[1] - window[0]), end))
        assert bool(told) == estimated


def _visitors(
    meta: dict[str, Any], data: dict[str, Any], lines: list[Seen], query: dict[str, str], window: Sequence[datetime]
) -> None:
    """Visitors are those of the window, or of the whole buckets around it where that is said."""
    if "unique_ips" not in data:
        return
    coverage, rounded = meta["visitors_coverage"], timedelta(seconds=meta.get("visitors_rounded_to_seconds", 0))

    def between(start: datetime, stop: datetime) -> int:
        inside = (line for line in lines if start <= line.at <= stop and passes(query, line))
        return len({line.ip for line in inside if line.kept or coverage["lines"] == "all"})

    assert coverage["complete"]
    least, most = between(*window), between(window[0] - rounded, window[1] + rounded)
    assert least <= data["unique_ips"] <= most
    if coverage["source"] == "rows":
        assert not rounded
