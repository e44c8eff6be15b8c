"""What every answer of the web API has, on good days and on bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from pipeline.cache import Cache
from pipeline.storage import Store
from tests.servers import Backend
from tests.webapi.conftest import NOW
from webapi.app import compose
from webapi.metrics import Metrics

AWAY = "redis://127.0.0.1:1/0"


def over(url: str, cache: Cache | None = None) -> Flask:
    """An application over a database, without a cache by default."""
    return compose(Store.open(url), cache or Cache.open(AWAY), Metrics(), lambda: NOW)


def test_the_first_page_says_what_there_is(api: FlaskClient) -> None:
    assert "/logs" in api.get("/").json["endpoints"]


def test_another_path_is_404_and_another_method_405_with_allow(api: FlaskClient) -> None:
    missing = api.get("/log%20s/é?x=1")
    assert (missing.status_code, missing.content_type) == (404, "application/problem+json")
    assert missing.json["instance"] == "/log%20s/%C3%A9"
    assert "/logs" in missing.json["detail"]
    for path in ("/", "/logs", "/stats", "/ledger", "/healthz", "/readyz", "/metrics"):
        refused = api.post(path, json=["x"])
        assert (refused.status_code, refused.content_type) == (405, "application/problem+json")
        assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_every_answer_has_an_id_and_is_not_sniffed(api: FlaskClient) -> None:
    for path in ("/", "/logs", "/stats", "/nowhere", "/logs?x=1"):
        answer = api.get(path, headers={"X-Request-Id": "abc-1"})
        assert answer.headers["X-Request-Id"] == "abc-1"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(api.get("/", headers={"X-Request-Id": 'a"b'}).headers["X-Request-Id"]) == 32


def test_health_readiness_and_metrics(api: FlaskClient) -> None:
    assert api.get("/healthz").json == {"status": "ok"}
    ready = api.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"status": "ok", "checks": {"database": "ok", "cache": "ok"}})
    metrics = api.get("/metrics").text
    assert (
        'http_server_request_duration_seconds_count{http_response_status_code="200",http_route="/healthz"} 1.0'
        in metrics
    )


def test_without_the_cache_it_is_ready_and_says_what_is_missing(database: str) -> None:
    answer = over(database).test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["checks"]["database"] == "ok"
    assert "cache is not available" in answer.json["checks"]["cache"]


def test_a_database_that_is_away_is_named(cache: Cache) -> None:
    away = over("mysql://tally:secret@127.0.0.1:1/away", cache).test_client()
    with capture_logs():
        for path in ("/logs", "/stats?type=traffic&range=week&scope=all", "/ledger"):
            answer = away.get(path)
            assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
            assert "the database does not answer" in answer.json["detail"]
            assert int(answer.headers["Retry-After"]) > 0
            assert "secret" not in answer.text
    ready = away.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (503, "unavailable")
    assert "database is not available" in ready.json["checks"]["database"]
    assert "secret" not in ready.text


@pytest.mark.real_only
def test_a_database_that_comes_back_is_used_again(real: Backend, api: FlaskClient) -> None:
    assert api.get("/logs").status_code == 200
    real.servers["database"].kill()
    with capture_logs():
        assert api.get("/logs").status_code == 503
    real.servers["database"].start()
    assert api.get("/logs").status_code == 200


def test_a_database_without_tables_is_a_503(backend: Backend) -> None:
    with capture_logs():
        answer = over(backend.new_database()).test_client().get("/logs")
    assert answer.status_code == 503
    assert "tally migrate" in answer.json["detail"]


def test_a_fault_of_ours_says_nothing_of_its_insides(tmp_path: Path) -> None:
    def broken() -> Any:
        raise RuntimeError("secret")

    app = compose(Store.open(f"sqlite:///{tmp_path / 'x.db'}"), Cache.open(AWAY), Metrics(), broken)
    with capture_logs() as logs:
        answer = app.test_client().get("/logs")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert logs[0]["event"] == "a request failed"
