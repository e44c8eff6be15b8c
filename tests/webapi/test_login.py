"""Logging in with an API key, and what a page may do then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pipeline.keyring import ApiKey, Keyring, digest
from pipeline.storage import Store
from tests.known_key import KEY, PUBLIC_ID, UNKNOWN_KEY
from tests.servers import Backend
from tests.webapi.conftest import NOW, OpenCache
from webapi.app import compose
from webapi.metrics import Metrics

Another = Callable[[], FlaskClient]
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}


@pytest.fixture
def keyring() -> Keyring:
    """One that knows a key that may read."""
    keyring = Keyring(lambda: 0.0)
    keyring.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(["read"]))])
    return keyring


@pytest.fixture
def another(open_cache: OpenCache, store: Store, keyring: Keyring, clock: list[datetime]) -> Another:
    """Starts one more process of the same web API, with a browser of its own."""
    return lambda: compose(store, open_cache(), Metrics(), lambda: clock[0], keyring=keyring).test_client()


@pytest.fixture
def guarded(another: Another) -> FlaskClient:
    """A browser in front of an application that asks for keys; its cache is empty."""
    return another()


def login(client: FlaskClient, key: str = KEY, **headers: str) -> TestResponse:
    """What a page does."""
    return client.post("/login", json={"key": key}, headers={**OWN, **headers})


def cookie(answer: TestResponse) -> Any:
    """What is set."""
    return SimpleCookie(answer.headers["Set-Cookie"])["tally_session"]


def test_with_a_key_that_may_read_the_pages_data_is_answered(guarded: FlaskClient) -> None:
    assert guarded.get("/overview").status_code == 401
    answer = login(guarded)
    assert (answer.status_code, answer.json["key"], answer.json["scopes"]) == (200, PUBLIC_ID, ["read"])
    assert (answer.json["required"], answer.json["may_change"]) == (True, False)
    for page in ("/overview", "/logs", "/pipeline/status", "/ledger/days"):
        assert guarded.get(page).status_code == 200
    assert guarded.get("/session").json == answer.json


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_has_no_secret(guarded: FlaskClient) -> None:
    answer = login(guarded)
    found = cookie(answer)
    assert (found["httponly"], found["samesite"], found["path"], found["secure"]) == (True, "Strict", "/", "")
    assert int(found["max-age"]) == 12 * 3600
    assert KEY.rpartition("_")[2] not in answer.headers["Set-Cookie"]
    assert digest(KEY).hex() not in answer.headers["Set-Cookie"]
    assert cookie(login(guarded, **{"X-Forwarded-Proto": "https"}))["secure"] is True


@pytest.mark.parametrize("key", ["", "x", KEY[:-1] + "0", UNKNOWN_KEY, f"Bearer {KEY}"])
def test_another_key_is_refused(guarded: FlaskClient, key: str) -> None:
    answer = login(guarded, key if key != KEY else "x")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_a_key_for_something_else_is_refused(guarded: FlaskClient, keyring: Keyring) -> None:
    keyring.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(["ingest"]))])
    assert login(guarded).status_code == 403


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"key":5}', b'{"key":"' + b"x" * 300 + b'"}', b"\xff", b"[" * 9_000]
)
def test_what_cannot_be_understood_is_a_400(guarded: FlaskClient, body: bytes) -> None:
    assert guarded.post("/login", data=body, content_type="application/json", headers=OWN).status_code == 400


def test_a_large_body_is_a_413(guarded: FlaskClient) -> None:
    assert login(guarded, "x" * 20_000).status_code == 413


def test_it_ends_with_its_time_its_key_or_the_log_out(
    guarded: FlaskClient, keyring: Keyring, clock: list[datetime]
) -> None:
    login(guarded)
    clock[0] = NOW + timedelta(hours=11, minutes=59)
    assert guarded.get("/logs").status_code == 200
    clock[0] = NOW + timedelta(hours=12)
    assert guarded.get("/logs").status_code == 401
    assert guarded.get("/session").json["key"] is None

    clock[0] = NOW
    login(guarded)
    known = [ApiKey(PUBLIC_ID, digest(KEY), frozenset(["read"]))]
    keyring.replace([])
    assert guarded.get("/logs").status_code == 401
    keyring.replace(known)
    assert guarded.get("/logs").status_code == 200

    answer = guarded.post("/logout", json={}, headers=OWN)
    assert (answer.status_code, answer.json["key"]) == (200, None)
    assert guarded.get("/logs").status_code == 401


def test_a_tail_ends_with_its_session(guarded: FlaskClient, clock: list[datetime]) -> None:
    login(guarded)
    events = iter(guarded.get("/logs/tail", buffered=False).response)
    assert b"tail" in next(events)
    clock[0] = NOW + timedelta(hours=12)
    assert list(events) == []


def test_a_key_in_a_header_goes_before_the_cookie(guarded: FlaskClient) -> None:
    login(guarded)
    assert guarded.get("/logs", headers={"Authorization": "Bearer x"}).status_code == 401


def test_its_requests_count_as_its_keys(guarded: FlaskClient, keyring: Keyring) -> None:
    login(guarded)
    keyring.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(["read"]), 1)])
    assert [guarded.get("/logs").status_code for _ in range(2)] == [200, 429]


def test_it_is_good_at_every_web_api_and_after_a_restart(guarded: FlaskClient, another: Another) -> None:
    other = another()
    for one, two in ((guarded, other), (other, guarded)):
        text = cookie(login(one)).value
        two.set_cookie("tally_session", text)
        assert two.get("/logs").status_code == 200


def test_without_the_cache_it_is_good_where_it_began(backend: Backend, guarded: FlaskClient, another: Another) -> None:
    backend.servers["cache"].freeze()
    text = cookie(login(guarded)).value
    assert guarded.get("/logs").status_code == 200
    other = another()
    other.set_cookie("tally_session", text)
    assert other.get("/logs").status_code == 401


def test_what_was_answered_to_a_session_is_given_to_no_stranger(guarded: FlaskClient) -> None:
    login(guarded)
    for _ in range(3):
        assert guarded.get("/stats").status_code == 200
    guarded.delete_cookie("tally_session")
    assert guarded.get("/stats").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_only_a_page_of_its_own_changes_something(guarded: FlaskClient, headers: dict[str, str], status: int) -> None:
    login(guarded)
    assert guarded.post("/logout", json={}, headers=headers).status_code == status


def test_a_form_is_no_json(guarded: FlaskClient) -> None:
    for said in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""):
        assert guarded.post("/login", data="x", content_type=said, headers=OWN).status_code == 415


def test_without_keys_there_is_nothing_to_log_in_to(api: FlaskClient) -> None:
    found = api.get("/session").json
    assert (found["required"], found["key"], found["may_change"]) == (False, None, True)
    assert api.get("/session", headers={"Host": "tally.example"}).json["may_change"] is False
    answer = login(api)
    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert login(api, Host="tally.example", **{"Sec-Fetch-Site": "same-origin"}).status_code == 403
