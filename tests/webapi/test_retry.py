"""A dead letter sent again over HTTP: by whom, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from pipeline import settings
from pipeline.cache import Cache
from pipeline.keyring import ApiKey, Keyring, digest, minted
from pipeline.storage import Store
from tests.cli.test_dead_letters import GOOD, bury, environment
from tests.receiver import wire
from tests.servers import Backend
from tests.webapi.conftest import NOW
from webapi.app import compose
from webapi.metrics import Metrics
from webapi.resend import resending

__all__ = ["environment"]

Open = Callable[..., FlaskClient]


@pytest.fixture
def over(store: Store, cache: Cache, environment: dict[str, str]) -> Open:
    """Opens applications that know where Kafka is."""
    assert environment

    def over(keyring: Keyring | None = None) -> FlaskClient:
        resend = resending(store, settings.load())
        return compose(store, cache, Metrics(), lambda: NOW, keyring=keyring, resend=resend).test_client()

    return over


def test_what_is_fit_is_sent_and_marked(
    over: Open, store: Store, backend: Backend, environment: dict[str, str]
) -> None:
    api, id = over(), bury(store, GOOD.encode())
    answer = api.post(f"/dead-letters/{id}/retry", json={})
    assert (answer.status_code, answer.json["data"]["id"]) == (200, id)
    assert answer.json["data"]["retried_at"] is not None
    refused = api.post(f"/dead-letters/{id}/retry", json={})
    assert (refused.status_code, "already" in refused.json["detail"]) == (409, True)
    assert api.post(f"/dead-letters/{id}/retry", json={"again": True}).status_code == 200
    found = list(wire.records(backend, environment["KAFKA_TOPIC"]))
    assert [json.loads(record.value) for record in found] == [[GOOD], [GOOD]]
    (key,) = {dict(record.headers)["key"] for record in found}
    assert key.startswith(b"dead-letter-")


def test_what_its_line_should_have_been_is_sent_in_its_place(
    over: Open, store: Store, backend: Backend, environment: dict[str, str]
) -> None:
    api, id = over(), bury(store, b"bad")
    refused = api.post(f"/dead-letters/{id}/retry", json={})
    assert (refused.status_code, "expected" in refused.json["detail"]) == (409, True)
    assert api.post(f"/dead-letters/{id}/retry", json={"replace": "worse"}).status_code == 409
    assert api.get(f"/dead-letters/{id}").json["data"]["retried_at"] is None
    assert api.post(f"/dead-letters/{id}/retry", json={"replace": GOOD}).status_code == 200
    assert [json.loads(record.value) for record in wire.records(backend, environment["KAFKA_TOPIC"])] == [[GOOD]]


def test_one_that_is_not_there_is_a_404_and_what_makes_no_sense_a_400(over: Open, store: Store) -> None:
    api, id = over(), bury(store, GOOD.encode())
    for number in (id + 1, 0, "x", 2**70):
        assert api.post(f"/dead-letters/{number}/retry", json={}).status_code == 404
    assert api.post(f"/dead-letters/{id}/retry", json={"again": 1}).status_code == 400
    assert api.post(f"/dead-letters/{id}/retry?x=1", json={}).status_code == 400
    assert api.get(f"/dead-letters/{id}/retry").status_code == 405


@pytest.mark.any_servers
def test_without_kafka_nothing_is_marked(over: Open, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    api, id = over(), bury(store, GOOD.encode())
    with capture_logs():
        answer = api.post(f"/dead-letters/{id}/retry", json={})
    assert (answer.status_code, "kafka" in answer.json["detail"]) == (503, True)
    assert api.get(f"/dead-letters/{id}").json["data"]["retried_at"] is None


@pytest.mark.any_servers
def test_where_keys_are_required_only_an_admin_may(over: Open, store: Store) -> None:
    (reader_id, reader), (admin_id, admin) = minted(), minted()
    keyring = Keyring()
    keyring.replace(
        [
            ApiKey(reader_id, digest(reader), frozenset(["read"])),
            ApiKey(admin_id, digest(admin), frozenset(["read", "admin"])),
        ]
    )
    api, id = over(keyring), bury(store, GOOD.encode())
    path, own = f"/dead-letters/{id}/retry", {"Sec-Fetch-Site": "same-origin"}
    assert api.post(path, json={}, headers=own).status_code == 401
    assert api.post(path, json={}, headers={"Authorization": f"Bearer {reader}"}).status_code == 403
    api.post("/login", json={"key": reader}, headers=own)
    assert api.post(path, json={}, headers=own).status_code == 403
    api.post("/login", json={"key": admin}, headers=own)
    assert api.get("/session").json["may_change"] is True
    assert api.post(path, json={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert api.post(path, json={}).status_code == 403
    assert api.post(path, json={}, headers=own).status_code == 200
    bearer = {"Authorization": f"Bearer {admin}"}
    assert api.post(path, json={"again": True}, headers=bearer).status_code == 200


@pytest.mark.any_servers
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 404),
        ({"Host": "127.0.0.1:8081"}, 404),
        ({"Host": "[::1]:8081"}, 404),
        ({"Host": "tally.example"}, 403),
        ({"Host": "10.0.0.1"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_without_keys_this_machine_may_and_no_other_sites_page(
    over: Open, headers: dict[str, str], status: int
) -> None:
    assert over().post("/dead-letters/1/retry", json={}, headers=headers).status_code == status
