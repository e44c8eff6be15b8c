"""What did not change is not sent again."""

from __future__ import annotations

from datetime import timedelta

from flask.testing import FlaskClient

from pipeline.storage import Store
from tests.stores import Seen, put
from tests.webapi.conftest import NOW


def test_an_answer_that_did_not_change_is_a_304(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(NOW - timedelta(minutes=1), status=404)])
    first = api.get("/logs")
    assert (first.headers["Cache-Control"], first.headers["ETag"][:2]) == ("no-cache", "W/")
    for known in (first.headers["ETag"], f'"x", {first.headers["ETag"]}', "*"):
        second = api.get("/logs", headers={"If-None-Match": known})
        assert (second.status_code, second.data) == (304, b"")
        assert second.headers["ETag"] == first.headers["ETag"]
        assert "Content-Type" not in second.headers
    put(store, [Seen(NOW, status=500)])
    third = api.get("/logs", headers={"If-None-Match": first.headers["ETag"]})
    assert third.status_code == 200
    assert third.headers["ETag"] != first.headers["ETag"]


def test_a_compressed_answer_is_the_same_answer(refusing: FlaskClient) -> None:
    plain, compressed = refusing.get("/docs"), refusing.get("/docs", headers={"Accept-Encoding": "gzip"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert plain.headers["ETag"] == compressed.headers["ETag"]
    again = refusing.get("/docs", headers={"Accept-Encoding": "gzip", "If-None-Match": plain.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "Content-Encoding" not in again.headers


def test_problems_streams_and_counters_have_no_etag(api: FlaskClient) -> None:
    for path in ("/logs?x=1", "/logs/export", "/metrics"):
        answer = api.get(path)
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_head_has_the_headers_of_get(refusing: FlaskClient) -> None:
    get, head = refusing.get("/openapi.json"), refusing.head("/openapi.json")
    assert (head.status_code, head.data) == (200, b"")
    assert {name: head.headers[name] for name in ("ETag", "Content-Length")} == {
        name: get.headers[name] for name in ("ETag", "Content-Length")
    }
