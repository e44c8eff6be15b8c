"""All that a page shows first: each part is its own endpoint's answer, and one that fails takes no other with it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import redis
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from pipeline.models import VisitorRollup
from pipeline.moment import rfc3339
from pipeline.storage import Store
from tests.servers import Backend
from tests.stores import Seen, put
from tests.webapi.conftest import NOW

PARTS = {
    "summary": "/stats?type=summary",
    "requests": "/stats/series?metric=requests&by=class",
    "latency": "/stats/series?metric=latency",
    "visitors": "/stats/series?metric=visitors",
    "routes": "/stats/top?by=route",
    "statuses": "/stats/top?by=status",
    "methods": "/stats/top?by=method",
    "addresses": "/stats/top?by=ip",
}


def lines() -> list[Seen]:
    """Lines of the last hours, every third of them discarded."""
    return [
        Seen(
            NOW - timedelta(seconds=37 * number),
            ip=f"10.0.0.{number % 9}",
            method=("GET", "POST")[number % 2],
            path=("/products/1", "/about", "/users/7/orders")[number % 3],
            status=(200, 404, 500, 200, 301)[number % 5],
            latency_ms=number * 13 % 1_700,
        )
        for number in range(400)
    ]


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer but for what depends on when it was asked for, and how."""
    meta = {name: said for name, said in answer["meta"].items() if name not in ("range", "data_to", "lag_seconds")}
    return {**answer, "meta": meta}


@pytest.mark.parametrize("scope", ["all", "stored"])
@pytest.mark.parametrize("window", ["range=15m", "range=hour", "range=day", "range=week", "custom"])
def test_each_part_is_what_its_own_endpoint_says(api: FlaskClient, store: Store, window: str, scope: str) -> None:
    put(store, lines())
    if window == "custom":
        window = f"from={rfc3339(NOW - timedelta(hours=2))}&to={rfc3339(NOW - timedelta(minutes=20))}"
    found = api.get(f"/overview?{window}&scope={scope}").json
    its_own = "&".join(f"{end}={quote(at)}" for end, at in found["window"].items())
    for name, path in PARTS.items():
        assert told(found[name]) == told(api.get(f"{path}&{its_own}&scope={scope}").json), name


def test_how_long_each_part_took_is_said_beside_it(api: FlaskClient) -> None:
    answer = api.get("/overview?range=day")
    timings = dict(one.split(";dur=") for one in answer.headers["Server-Timing"].split(", "))
    assert timings.keys() == {*PARTS, "ledger"}
    assert min(map(float, timings.values())) >= 0


def test_filters_hold_for_every_part(api: FlaskClient, store: Store) -> None:
    put(store, lines())
    for query in ("status=5xx", "method=POST", "route=/about", "q=status:5xx -method:GET"):
        found = api.get(f"/overview?range=day&{query}").json
        assert "visitors" not in found
        requests = found["summary"]["data"]["requests"]
        assert requests > 0
        assert sum(sum(n for at, n in one.items() if at != "time") for one in found["requests"]["data"]) == requests
        for name in ("routes", "statuses", "methods"):
            ranked = found[name]
            if ranked["meta"]["coverage"]["lines"] == "all":
                assert sum(one["requests"] for one in ranked["data"]) + ranked["other"]["requests"] == requests


def test_what_only_rows_know_is_counted_from_them_and_said(api: FlaskClient, store: Store) -> None:
    put(store, lines())
    found = api.get("/overview?range=day&ip=10.0.0.4&min_latency=100").json
    stored = [one for one in lines() if one.kept and one.ip == "10.0.0.4" and one.latency_ms >= 100]
    assert found["summary"]["data"]["requests"] == len(stored)
    for name in ("summary", "requests", "latency", "routes", "statuses", "methods", "addresses"):
        assert found[name]["meta"]["coverage"] == {"source": "rows", "lines": "stored", "complete": True}
    assert [one["key"] for one in found["addresses"]["data"]] == ["10.0.0.4"]


def test_what_comes_first_can_be_chosen(api: FlaskClient, store: Store) -> None:
    put(store, lines())
    found = api.get("/overview?range=day&routes=p95&addresses=errors").json
    slowest = [one["p95_latency"] for one in found["routes"]["data"]]
    assert slowest == sorted(slowest, reverse=True)
    errors = [one["errors"] for one in found["addresses"]["data"]]
    assert errors == sorted(errors, reverse=True)


def test_visitors_are_told_by_steps_of_which_there_are_few(api: FlaskClient, store: Store) -> None:
    put(store, lines())
    for name, step in {"15m": 300, "hour": 300, "day": 3600, "week": 86_400}.items():
        found = api.get(f"/overview?range={name}").json["visitors"]
        assert (found["step_seconds"], found["meta"]["estimated"]) == (step, {"unique_ips": 0.0081})
        for point in found["data"]:
            start = datetime.fromisoformat(point["time"])
            seen = {one.ip for one in lines() if start <= one.at < start + timedelta(seconds=step)}
            assert point["unique_ips"] == len(seen)


def test_it_says_how_fresh_everything_is_and_whether_there_ever_was_a_line(api: FlaskClient) -> None:
    found = api.get("/overview").json
    assert (found["range"], found["scope"], found["as_of"]) == ("hour", "all", rfc3339(NOW))
    assert (found["received_ever"], found["ledger"]["received"], found["ledger"]["balanced"]) == (False, 0, True)
    assert found["data_to"] is not None


def test_a_part_that_fails_says_so_in_its_place(api: FlaskClient, store: Store) -> None:
    put(store, lines())
    store.write(lambda: VisitorRollup.drop_table())
    try:
        with capture_logs():
            found = api.get("/overview?range=day", headers={"X-Request-Id": "r-1"}).json
    finally:
        store.write(lambda: VisitorRollup.create_table())
    problem = found["visitors"]["problem"]
    assert (problem["status"], problem["request_id"]) == (503, "r-1")
    assert "refuses" in problem["detail"]
    assert found["requests"]["data"]
    assert found["routes"]["data"]


def test_what_was_asked_a_moment_ago_is_answered_again(backend: Backend, api: FlaskClient, store: Store) -> None:
    put(store, lines())
    first = api.get("/overview").json["summary"]
    assert api.get("/overview").json["summary"] == first
    with redis.Redis.from_url(backend.cache_url) as client:
        client.flushdb()
    assert told(api.get("/overview").json["summary"]) == told(first)


def test_the_first_lines_are_seen_at_once_where_nothing_was(api: FlaskClient, store: Store) -> None:
    assert api.get("/overview?range=week").json["summary"]["data"]["requests"] == 0
    put(store, lines())
    time.sleep(1.1)
    found = api.get("/overview?range=week").json
    assert found["summary"]["data"]["requests"] == len(lines())
    for name in ("routes", "statuses", "methods"):
        assert sum(one["requests"] for one in found[name]["data"]) == len(lines()), name
    for name, number in (("requests", "2xx"), ("latency", "max_latency"), ("visitors", "unique_ips")):
        assert any(point[number] for point in found[name]["data"]), name


def test_without_the_database_there_is_nothing_to_show(refusing: FlaskClient) -> None:
    with capture_logs():
        answer = refusing.get("/overview")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("routes=worst", "routes"),
        ("addresses=x", "addresses"),
        ("range=15m&to=2026-01-01T00:00:00Z", "range"),
        ("q=status:9", "q"),
        ("limit=5", "limit"),
    ],
)
def test_what_is_wrong_is_named(refusing: FlaskClient, query: str, named: str) -> None:
    answer = refusing.get(f"/overview?{query}")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, named)
