"""Uploads where API keys are required: at the door, and as the process that follows the database."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from cli.child import Child, wait_until
from pipeline import api_keys, schema
from pipeline.keyring import ApiKey, Keyring, Uses, digest, minted
from pipeline.storage import Store
from receiver.budget import Budget
from receiver.metrics import Metrics
from receiver.upload import Endpoint
from tasks import upload_keys
from tests.receiver import asgi, wire
from tests.receiver.asgi import LINE, NOW, Kept, body_of
from tests.receiver.wire import BODY, Environment
from tests.servers import Backend

Launch = Callable[..., Child]
PUBLIC_ID, KEY = minted()
BEARER = (b"authorization", f"Bearer {KEY}".encode())
REVOKED_SECONDS = 5.0


def door(kept: Kept, *scopes: str, rate: int | None = None) -> tuple[Endpoint, Keyring]:
    """The endpoint, which asks for keys and knows one."""
    keyring, budget = Keyring(lambda: 0.0), Budget(2**26)
    keyring.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(scopes), rate)])
    return Endpoint(kept.publish, budget, Metrics(budget), lambda: NOW, 2**20, 1000, keyring), keyring


def test_a_stranger_is_told_what_is_missing_and_nothing_of_his_is_kept() -> None:
    kept = Kept()
    app, _ = door(kept, "ingest")
    missing, unknown = "tally keys create", "not known"
    for headers, said in (([], missing), ([BEARER, BEARER], missing), ([(b"authorization", b"Bearer x")], unknown)):
        answer = asgi.post(app, body_of(LINE), headers=headers)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert said in answer.json["detail"]
    # Whoever is a stranger learns nothing else: not that his body is too large, or no JSON.
    answer = asgi.post(app, b"{", headers=[(b"content-length", b"999999999"), (b"content-type", b"text/plain")])
    assert answer.status == 401
    assert not kept.records


def test_a_key_that_may_upload_is_named_in_the_record() -> None:
    kept = Kept()
    app, keyring = door(kept, "ingest")
    page = (b"origin", b"https://a.page")  # which has a key, and a proxy that lets it send it
    assert asgi.post(app, body_of(LINE, "bad"), headers=[BEARER, page]).status == 202
    assert asgi.post(app, b"{", headers=[BEARER]).status == 400
    assert asgi.post(app, body_of("bad"), headers=[BEARER]).status == 422
    ((_, headers),) = kept.records
    assert dict(headers)["api_key"] == PUBLIC_ID.encode()
    assert keyring.drain() == {PUBLIC_ID: Uses(uploads=1, lines=2, refusals=2)}


def test_a_key_that_is_revoked_while_its_upload_comes_is_no_key_any_more() -> None:
    kept = Kept()
    app, keyring = door(kept, "ingest")
    answer = asgi.post(app, body_of(LINE), headers=[BEARER], meanwhile=lambda: keyring.replace([]))
    assert (answer.status, answer.headers["www-authenticate"], kept.records) == (401, "Bearer", [])


def test_a_key_for_something_else_is_refused_and_so_is_haste() -> None:
    app, _ = door(Kept(), "read", "admin")
    assert asgi.post(app, body_of(LINE), headers=[BEARER]).status == 403
    app, keyring = door(Kept(), "ingest", rate=1)
    answers = [asgi.post(app, body_of(LINE), headers=[BEARER]) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 429]
    assert answers[1].headers["retry-after"] == "1"
    assert keyring.drain() == {PUBLIC_ID: Uses(uploads=1, lines=1, refusals=1)}


@pytest.fixture
def environment(backend: Backend) -> Environment:
    """Settings that require keys, their topic and their tables."""
    environment = backend.environment(REQUIRE_API_KEYS="1")
    wire.make_topic(environment)
    schema.migrate(environment["DATABASE_URL"])
    return environment


def test_a_key_is_good_from_when_it_is_made_until_it_is_revoked(launch: Launch, environment: Environment) -> None:
    store = Store.open(environment["DATABASE_URL"])
    first = {"Authorization": f"Bearer {api_keys.create(store, 'first', frozenset(['ingest']), None)}"}
    receiver = launch("receiver", environment)
    wire.require_ready(environment)
    assert wire.post(environment, BODY, first)[0] == 202
    assert wire.post(environment, BODY)[0] == 401
    second = {"Authorization": f"Bearer {api_keys.create(store, 'second', frozenset(['ingest']), None)}"}
    assert wait_until(lambda: wire.post(environment, BODY, second)[0] == 202, REVOKED_SECONDS)
    api_keys.revoke(store, api_keys.listed(store)[0].public_id)
    revoked = time.monotonic()
    assert wait_until(lambda: wire.post(environment, BODY, first)[0] == 401, REVOKED_SECONDS, 0.05)
    assert time.monotonic() - revoked < REVOKED_SECONDS
    assert wire.post(environment, BODY, second)[0] == 202
    receiver.terminate()
    assert receiver.wait(5) == 0
    uses = {one.name: one for one in api_keys.listed(store)}
    assert uses["first"].uploads == uses["first"].lines >= 1
    assert uses["second"].uploads == uses["second"].lines >= 2
    store.disconnect()


@pytest.mark.any_servers
def test_two_keys_idempotency_keys_never_meet(launch: Launch, backend: Backend, environment: Environment) -> None:
    store = Store.open(environment["DATABASE_URL"])
    keys = [api_keys.create(store, name, frozenset(["ingest"]), None) for name in ("one", "other")]
    store.disconnect()
    launch("receiver", environment)
    wire.require_ready(environment)
    for key in keys:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "the-same"}
        assert wire.post(environment, BODY, headers)[0] == 202
    found = list(wire.records(backend, environment["KAFKA_TOPIC"]))
    assert len(set(upload_keys.identities(found).values())) == len(found) == 2


@pytest.mark.real_only
def test_ingest_goes_on_while_the_database_is_away(launch: Launch, backend: Backend, environment: Environment) -> None:
    store = Store.open(environment["DATABASE_URL"])
    bearer = {"Authorization": f"Bearer {api_keys.create(store, 'shop', frozenset(['ingest']), None)}"}
    store.disconnect()
    launch("receiver", environment)
    wire.require_ready(environment)
    backend.servers["database"].kill()
    try:
        time.sleep(3 * api_keys.REFRESH_SECONDS)
        assert wire.post(environment, BODY, bearer)[0] == 202
        assert wire.is_ready(environment)
    finally:
        backend.mend()
    assert wait_until(lambda: [one.uploads for one in api_keys.listed(store)] == [1], 20)
    store.disconnect()


@pytest.mark.any_servers
def test_a_receiver_that_never_learnt_the_keys_says_what_it_waits_for(launch: Launch, backend: Backend) -> None:
    environment = backend.environment(REQUIRE_API_KEYS="1", DATABASE_URL="mysql://tally:tally@127.0.0.1:1/nowhere")
    wire.make_topic(environment)
    launch("receiver", environment)
    assert wait_until(lambda: wire.answers(environment), 20)
    status, answer, _ = wire.post(environment, BODY, {"Authorization": f"Bearer {KEY}"})
    assert (status, "database" in answer["detail"]) == (503, True)
    status, said = wire.get(environment, "/readyz")
    assert (status, "API keys" in said["checks"]["api_keys"]) == (503, True)
