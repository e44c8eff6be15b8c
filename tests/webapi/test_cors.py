"""Which other sites' pages may read the answers."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from pipeline.cache import Cache
from pipeline.storage import Store
from tests.webapi.conftest import NOW
from webapi.app import compose
from webapi.assets import assets
from webapi.metrics import Metrics

OURS, OTHERS = "https://tally.example", "https://others.example"
PREFLIGHT = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-request-id"}


def client(origins: str) -> FlaskClient:
    """A client of an application without servers that these origins may read."""
    store, cache = Store.open("mysql://tally:tally@127.0.0.1:1/nowhere"), Cache.open("redis://127.0.0.1:1/0")
    return compose(store, cache, Metrics(), lambda: NOW, cors_origins=origins).test_client()


def said(answer: Any) -> dict[str, str]:
    """The headers that matter."""
    return {name: value for name, value in answer.headers if name.startswith("Access-Control")}


@pytest.mark.parametrize("path", ["/healthz", "/logs?x=1", "/nowhere", assets().path("docs.css")])
def test_a_page_of_an_allowed_origin_reads_answers_and_problems(path: str) -> None:
    answer = client(f"{OURS},http://localhost:3000").get(path, headers={"Origin": OURS})
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", [OTHERS, "null", "", f"{OURS}.others.example"])
def test_a_page_of_another_origin_does_not(origin: str) -> None:
    for path in ("/healthz", assets().path("docs.css")):
        answer = client(OURS).get(path, headers={"Origin": origin} if origin else {})
        assert said(answer) == {}
        assert "Origin" in answer.headers["Vary"]
    assert said(client(OURS).options("/logs", headers={"Origin": origin, **PREFLIGHT})) == {}


def test_a_browser_that_asks_first_is_told_what_it_may() -> None:
    answer = client(OURS).options("/logs", headers={"Origin": OURS, **PREFLIGHT})
    assert answer.status_code == 200
    assert said(answer) == {
        "Access-Control-Allow-Origin": OURS,
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, If-None-Match, Last-Event-ID, X-Request-Id",
        "Access-Control-Max-Age": "600",
    }


def test_all_origins_are_allowed_with_a_star() -> None:
    answer = client("*").get("/healthz", headers={"Origin": OTHERS})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Origin" not in answer.headers["Vary"]


def test_nobody_is_allowed_unless_it_is_said() -> None:
    assert said(client("").get("/healthz", headers={"Origin": OURS})) == {}
