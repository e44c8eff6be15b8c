"""Questions where API keys are required."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from pipeline.cache import Cache
from pipeline.errors import Denied
from pipeline.keyring import ApiKey, Keyring, digest, minted
from pipeline.storage import Store
from tests.stores import Seen, put
from tests.webapi.conftest import NOW
from webapi import export
from webapi.app import compose
from webapi.assets import assets
from webapi.endpoints import ENDPOINTS
from webapi.metrics import Metrics

PUBLIC_ID, KEY = minted()
BEARER = {"Authorization": f"Bearer {KEY}"}
CLOSED = [endpoint.path.replace("{id}", "1") for endpoint in ENDPOINTS if endpoint.scope is not None]


@pytest.fixture
def keyring() -> Keyring:
    """One that knows a key that may read."""
    keyring = Keyring(lambda: 0.0)
    keyring.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(["read"]))])
    return keyring


@pytest.fixture
def guarded(store: Store, cache: Cache, keyring: Keyring) -> FlaskClient:
    """A client of an application that asks for keys."""
    return compose(
        store, cache, Metrics(), lambda: NOW, cors_origins="https://a.example", keyring=keyring
    ).test_client()


@pytest.mark.parametrize("page", [*CLOSED, "/nowhere", "/logs/", "/LOGS"])
def test_a_stranger_learns_nothing(guarded: FlaskClient, page: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE"):
        answer = guarded.open(page, method=method, headers={"Origin": "https://a.example"})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert "X-Request-Id" in answer.headers


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/pipeline",
        "/session",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        assets().path("docs.css"),
    ],
)
def test_what_shows_nothing_is_open(guarded: FlaskClient, page: str) -> None:
    assert guarded.get(page).status_code == 200


def test_who_has_a_key_is_answered(guarded: FlaskClient, keyring: Keyring) -> None:
    for page in ("/logs", "/stats", "/stats/series", "/stats/top", "/ledger", "/ledger/days", "/logs/export"):
        assert guarded.get(page, headers=BEARER).status_code == 200
    keyring.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(["ingest", "admin"]))])
    assert guarded.get("/logs", headers=BEARER).status_code == 403
    keyring.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(["read"]), 1)])
    assert [guarded.get("/logs", headers=BEARER).status_code for _ in range(2)] == [200, 429]
    keyring.replace([])
    assert guarded.get("/logs", headers=BEARER).status_code == 401


def test_what_was_answered_a_moment_ago_is_not_given_to_a_stranger(guarded: FlaskClient) -> None:
    for _ in range(3):
        assert guarded.get("/stats", headers=BEARER).status_code == 200
    assert guarded.get("/stats").status_code == 401
    assert guarded.get("/stats", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_stream_ends_when_its_key_is_revoked(guarded: FlaskClient, keyring: Keyring) -> None:
    answer = guarded.get("/logs/tail", headers=BEARER, buffered=False)
    events = iter(answer.response)
    assert b"tail" in next(events)
    keyring.replace([])
    assert list(events) == []


def test_a_file_breaks_off_when_its_key_is_revoked(
    guarded: FlaskClient, keyring: Keyring, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    put(store, [Seen(NOW, path=f"/{n}") for n in range(10)])
    answer = guarded.get("/logs/export?format=ndjson", headers=BEARER, buffered=False)
    chunks = iter(answer.response)
    found = [next(chunks), next(chunks)]
    keyring.replace([])
    with pytest.raises(Denied):
        found.extend(chunks)
    *lines, end = b"".join(found).splitlines()
    assert len(lines) == 4
    with pytest.raises(json.JSONDecodeError):
        json.loads(end)


def test_a_page_elsewhere_may_ask_with_its_key(guarded: FlaskClient) -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    answer = guarded.options("/stats", headers=headers)
    assert answer.status_code == 200
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_the_document_says_where_a_key_is_needed(guarded: FlaskClient) -> None:
    document = guarded.get("/openapi.json").json
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    closed = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "security" in operation
    }
    assert closed == {(one.method, one.path) for one in ENDPOINTS if one.scope is not None}
    assert {"401", "403", "429"} <= document["paths"]["/logs"]["get"]["responses"].keys()
