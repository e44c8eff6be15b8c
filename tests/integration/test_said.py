"""What the processes say and show of a pipeline that asks for keys: a JSON object a line, and no secret."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from cli.child import wait_until
from cli.tether import Tether
from pipeline import api_keys
from pipeline.database import connectable
from pipeline.storage import Store
from tests.faults.session import session
from tests.integration.pipeline import PATIENCE, PROCESSES, Pipeline, running
from tests.known_key import UNKNOWN_KEY
from tests.records import line
from tests.servers import Backend

PASSWORD = "hunter2-in-the-database"
FORGED = '{"event":"forged"}'
HOSTILE = f"\x1b[2J\x1b]0;title\x07\r\n{FORGED}\n\u2028\x85\x00{FORGED}"


def with_password(url: str) -> str:
    """The same database under an account whose password is no word that a log has anyway; SQLite has none."""
    if not url.startswith("mysql:"):
        return url
    database = connectable(url)
    with database.connection_context():
        database.execute_sql(f"CREATE USER 'guarded'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        database.execute_sql("GRANT ALL ON *.* TO 'guarded'@'127.0.0.1'")
    return url.replace("tally:tally@", f"guarded:{PASSWORD}@")


@pytest.fixture
def guarded(backend: Backend, tether: Tether, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline that asks for keys, and says all that it can: each statement with its values, too."""
    url = with_password(backend.new_database())
    with running(backend, tether, tmp_path, DATABASE_URL=url, REQUIRE_API_KEYS="1", LOG_LEVEL="DEBUG") as pipeline:
        yield pipeline


def raw(pipeline: Pipeline, name: str, request: bytes) -> None:
    """Sends what no HTTP client would, and waits until it is answered or hung up on."""
    host, port = pipeline.url(name).split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        connection.recv(4096)


def attack(pipeline: Pipeline, bearer: str) -> None:
    """Sends control characters wherever a client may put something."""
    said = quote(HOSTILE)
    for name, page in (("receiver", "/upload"), ("webapi", "/logs")):
        for target in (f"/{said}", f"{page}?path={said}&q={said}&cursor={said}&{said}=1", f"{page}/{said}"):
            for headers in ({"Authorization": bearer}, {"Authorization": f"Bearer {UNKNOWN_KEY}"}, {}):
                pipeline.ask(name, target, headers=headers)
        for value in (b"\x1b[31m", b"a\r" + FORGED.encode(), b"a\r\n " + FORGED.encode(), b"\x00", b"\xff\x85"):
            for header in (b"X-Request-Id", b"Idempotency-Key", b"Authorization", b"User-Agent", b"Host", b"Cookie"):
                raw(pipeline, name, b"GET %b HTTP/1.1\r\n%b: %b\r\n\r\n" % (page.encode(), header, value))
        raw(pipeline, name, b"GET /\x1b[31m\x07 HTTP/1.1\r\nHost: x\r\n\r\n")
        raw(pipeline, name, f"\r\n{FORGED}\r\n\r\n".encode())
    for key in (bearer.removeprefix("Bearer "), UNKNOWN_KEY, HOSTILE):
        body = json.dumps({"key": key}).encode()
        own = {"Content-Type": "application/json", "Origin": f"http://{pipeline.url('webapi')}"}
        pipeline.ask("webapi", "/login", body, own)


def test_whatever_clients_send_each_line_of_the_log_is_an_object_and_has_no_secret(guarded: Pipeline) -> None:
    store = Store.open(guarded.environment["DATABASE_URL"])
    key = api_keys.create(store, "shop", frozenset(["ingest", "read"]), None)
    store.disconnect()
    bearer = f"Bearer {key}"
    attack(guarded, bearer)
    sent = {"Authorization": bearer, "Content-Type": "application/json", "Idempotency-Key": "k"}
    body = json.dumps([line(404), HOSTILE]).encode()
    assert wait_until(lambda: guarded.ask("receiver", "/upload", body, sent).status == 202, PATIENCE)
    assert wait_until(lambda: guarded.query("SELECT COUNT(*) FROM dead_letter") == [(1,)], PATIENCE)
    assert wait_until(lambda: guarded.ask("webapi", "/logs", headers=sent).status == 200, PATIENCE)
    attack(guarded, bearer)

    secrets = [key.rpartition("_")[2], UNKNOWN_KEY.rpartition("_")[2], PASSWORD]
    for name in PROCESSES:
        said = guarded.said(name)
        events = [json.loads(one)["event"] for one in said.removesuffix("\n").split("\n")]
        assert "forged" not in events, name
        assert [secret for secret in secrets if secret in said] == [], name
        shown = [Path(f"/proc/{pid}/cmdline").read_text() for pid in session(guarded[name].pid)]
        assert shown
        assert [secret for secret in secrets if any(secret in one for one in shown)] == [], name
    # What clients sent did come to the log: the worker's statements keep the line that is none.
    assert "forged" in guarded.said("worker")
