"""Demo traffic: who may begin it, what it sends, and what is said where it cannot."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from cli.child import wait_until
from pipeline import api_keys, grammar, settings
from pipeline.cache import Cache
from pipeline.keyring import ApiKey, Keyring, digest, minted
from pipeline.storage import Store
from tests.conftest import Launch
from tests.receiver import wire
from tests.servers import Backend
from tests.webapi.conftest import NOW
from tests.webapi.test_dashboard import BROWSER
from webapi import demo_traffic
from webapi.app import compose
from webapi.dashboard import Setup
from webapi.demo_traffic import DemoTraffic
from webapi.metrics import Metrics

SECONDS = 1.5

Allow = Callable[..., FlaskClient]


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Allow:
    """Opens applications that may send to a receiver; they have no servers of their own."""

    def allow(url: str, keyring: Keyring | None = None, api_key: str = "") -> FlaskClient:
        monkeypatch.setenv("TARGET_API_URL", url)
        monkeypatch.setenv("API_KEY", api_key)
        monkeypatch.setattr(demo_traffic, "SECONDS", SECONDS)
        store, cache = Store.open("mysql://tally:tally@127.0.0.1:1/nowhere"), Cache.open("redis://127.0.0.1:1/0")
        demo = DemoTraffic(settings.load()).begin
        app = compose(store, cache, Metrics(), lambda: NOW, keyring=keyring, setup=Setup(demo_traffic=True), demo=demo)
        return app.test_client()

    return allow


@pytest.fixture
def away(allow: Allow) -> FlaskClient:
    """A client of one whose receiver is away: what is admitted is a 503."""
    return allow("http://user:secret@127.0.0.1:1/upload")


def goes_on() -> bool:
    """Whether lines are sent."""
    return any(thread.name == "demo-traffic" for thread in threading.enumerate())


@pytest.mark.any_servers
def test_lines_are_sent_for_a_while_and_not_begun_twice(
    allow: Allow, backend: Backend, launch: Launch, database: str
) -> None:
    environment = backend.environment(DATABASE_URL=database)
    wire.make_topic(environment)
    launch("receiver", environment)
    wire.require_ready(environment)
    api = allow(environment["TARGET_API_URL"])
    began = time.monotonic()
    with capture_logs():
        first, again = (api.post("/demo-traffic", json={}) for _ in range(2))
        assert (first.status_code, again.status_code) == (202, 202)
        assert SECONDS >= first.json["seconds"] >= again.json["seconds"] >= 0
        assert wait_until(lambda: not goes_on(), 20)
        took = time.monotonic() - began
        found = [json.loads(record.value) for record in wire.records(backend, environment["KAFKA_TOPIC"])]
        # The first, and what is due in the time: half of what two would send.
        assert 1 < len(found) <= took * demo_traffic.RATE + 2
        assert {len(lines) for lines in found} == {demo_traffic.SIZE}
        assert all(grammar.parse(line) for lines in found for line in lines)
        assert api.post("/demo-traffic", json={}).status_code == 202
        assert goes_on()
        assert wait_until(lambda: not goes_on(), 20)


@pytest.mark.any_servers
def test_a_receiver_that_refuses_is_told_with_what_helps(
    allow: Allow, backend: Backend, launch: Launch, store: Store, database: str
) -> None:
    environment = backend.environment(DATABASE_URL=database, REQUIRE_API_KEYS="1")
    wire.make_topic(environment)
    key = api_keys.create(store, "demo", frozenset(["ingest"]), None)
    launch("receiver", environment)
    wire.require_ready(environment)
    with capture_logs():
        refused = allow(environment["TARGET_API_URL"]).post("/demo-traffic", json={})
        assert (refused.status_code, refused.content_type) == (503, "application/problem+json")
        assert "answered 401" in refused.json["detail"]
        assert "API_KEY" in refused.json["detail"]
        assert not goes_on()
        assert allow(environment["TARGET_API_URL"], api_key=key).post("/demo-traffic", json={}).status_code == 202
        assert wait_until(lambda: not goes_on(), 20)


def test_a_receiver_that_is_away_is_named_and_nothing_is_begun(away: FlaskClient) -> None:
    with capture_logs():
        answer = away.post("/demo-traffic", json={})
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert "the receiver at 127.0.0.1:1 " in answer.json["detail"]
    assert "secret" not in answer.text
    assert not goes_on()


def test_where_it_is_not_allowed_there_is_none(refusing: FlaskClient, away: FlaskClient) -> None:
    answer = refusing.post("/demo-traffic", json={})
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert "DEMO_TRAFFIC" in answer.json["detail"]
    assert "data-demo-traffic" not in refusing.get("/", headers=BROWSER).text
    assert "data-demo-traffic" in away.get("/", headers=BROWSER).text
    assert away.get("/demo-traffic").status_code == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 503),
        ({"Host": "127.0.0.1:8081", "Sec-Fetch-Site": "same-origin"}, 503),
        ({"Host": "tally.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_without_keys_this_machine_may_and_no_other_sites_page(
    away: FlaskClient, headers: dict[str, str], status: int
) -> None:
    with capture_logs():
        answer = away.post("/demo-traffic", data="{}", headers={"Content-Type": "application/json"} | headers)
    assert answer.status_code == status


def test_where_keys_are_required_only_an_admin_may(allow: Allow) -> None:
    (reader_id, reader), (admin_id, admin) = minted(), minted()
    keyring = Keyring()
    keyring.replace(
        [
            ApiKey(reader_id, digest(reader), frozenset(["read"])),
            ApiKey(admin_id, digest(admin), frozenset(["read", "admin"])),
        ]
    )
    api, own = allow("http://127.0.0.1:1/upload", keyring), {"Sec-Fetch-Site": "same-origin"}

    def status(**headers: str) -> int:
        with capture_logs():
            return api.post("/demo-traffic", json={}, headers=headers).status_code

    assert status(**own) == 401
    assert status(Authorization=f"Bearer {reader}") == 403
    assert status(Authorization=f"Bearer {admin}") == 503
    for key, expected in ((reader, 403), (admin, 503)):
        api.post("/login", json={"key": key}, headers=own)
        assert status(**own) == expected
        assert status(**{"Sec-Fetch-Site": "cross-site"}) == 403
