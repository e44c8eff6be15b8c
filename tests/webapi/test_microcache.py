"""The answers that are given again for a moment: the same to the byte, counted, bounded, and soon forgotten."""

from __future__ import annotations

from itertools import count

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from pipeline.cache import Cache
from pipeline.keyring import ApiKey, Keyring, digest, minted
from pipeline.storage import Store
from tests.webapi.conftest import NOW
from webapi import microcache
from webapi.app import compose
from webapi.metrics import Metrics

HIT = {"X-Cache": "hit"}


@pytest.fixture
def time() -> list[float]:
    """What time it is: replace its one element."""
    return [1000.0]


@pytest.fixture
def counting(time: list[float]) -> FlaskClient:
    """A client of an application whose answers say how many there were; `cache=` is their `X-Cache`."""
    app, number = Flask(__name__), count(1)
    microcache.register(app, Metrics(), clock=lambda: time[0])

    def answer(**_: str) -> Response:
        return Response(str(next(number)), headers={"X-Cache": request.args.get("cache", "hit")})

    for rule in ("/stats", "/stats/<rest>"):
        app.add_url_rule(rule, rule, answer, methods=("GET", "HEAD", "POST"))
    return app.test_client()


def test_a_hit_is_given_again_for_a_moment(counting: FlaskClient, time: list[float]) -> None:
    assert [counting.get("/stats?a=1").text for _ in range(3)] == ["1", "1", "1"]
    time[0] += microcache.KEPT_SECONDS
    assert [counting.get("/stats?a=1").text for _ in range(2)] == ["2", "2"]


def test_nothing_else_is(counting: FlaskClient) -> None:
    asked = [counting.get("/stats?cache=miss"), counting.get("/stats?cache=miss"), counting.post("/stats")]
    asked += [counting.post("/stats"), counting.get("/stats/series"), counting.get("/stats/series")]
    assert [answer.text for answer in asked] == ["1", "2", "3", "4", "5", "6"]
    assert counting.get("/stats?" + "a" * 3_000).text != counting.get("/stats?" + "a" * 3_000).text
    assert (counting.head("/stats").status_code, counting.get("/stats").text) == (200, "10")


@pytest.mark.parametrize("name", ["Accept-Encoding", "If-None-Match", "Origin"])
def test_each_kind_of_request_has_its_own(counting: FlaskClient, name: str) -> None:
    said = [counting.get("/stats", headers=headers).text for headers in ({}, {name: "a"}, {name: "b"}, {name: "a"})]
    assert said == ["1", "2", "3", "2"]


def test_many_spellings_are_forgotten_and_do_not_pile_up(time: list[float]) -> None:
    app = Flask(__name__)
    app.add_url_rule("/stats", "stats", lambda: Response("", headers=HIT))
    microcache.register(app, Metrics(), clock=lambda: time[0])
    client, cache = app.test_client(), app.wsgi_app
    assert isinstance(cache, microcache.MicroCache)
    sizes = []
    for number in range(2 * microcache.MOST):
        client.get(f"/stats?_={number}")
        sizes.append(len(cache._kept))
    assert max(sizes) == microcache.MOST


def test_where_keys_are_required_each_request_counts_for_its_key_s_rate(store: Store, cache: Cache) -> None:
    (public_id, key), keyring = minted(), Keyring(lambda: 0.0)
    keyring.replace([ApiKey(public_id, digest(key), frozenset(["read"]), rate=3)])
    api = compose(store, cache, Metrics(), lambda: NOW, keyring=keyring).test_client()
    asked = [api.get("/stats?type=errors&range=hour", headers={"Authorization": f"Bearer {key}"}) for _ in range(5)]
    assert [answer.status_code for answer in asked] == [200, 200, 200, 429, 429]
    assert keyring.drain()[public_id].refusals == 2


def test_it_is_the_answer_as_it_went_out_but_for_its_id(api: FlaskClient) -> None:
    path = "/stats?type=summary&range=week"
    compressed = {"Accept-Encoding": "gzip"}
    api.get(path)
    first, again = (api.get(path, headers=compressed | {"X-Request-Id": said}) for said in ("one", "two"))
    assert (first.status, first.data) == (again.status, again.data)
    assert first.headers["Content-Encoding"] == "gzip"
    assert sorted({**first.headers, "X-Request-Id": "two"}.items()) == sorted(again.headers.items())

    known = {"If-None-Match": api.get(path).headers["ETag"]}
    unchanged = [api.get(path, headers=known) for _ in range(2)]
    assert [(answer.status_code, answer.data, answer.headers["X-Cache"]) for answer in unchanged] == [
        (304, b"", "hit")
    ] * 2
    assert unchanged[0].headers["X-Request-Id"] != unchanged[1].headers["X-Request-Id"]

    metrics = api.get("/metrics").text
    assert 'webapi_statistics_total{cache="hit"} 5.0' in metrics
    assert 'webapi_requests_total{status="304"} 2.0' in metrics
    counted = 'http_server_request_duration_seconds_count{http_response_status_code="200",http_route="/stats"} 4.0'
    assert counted in metrics
