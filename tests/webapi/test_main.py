"""The web API as a process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import time
import urllib.parse
from typing import Any

import pytest

from cli.child import wait_until
from pipeline import schema
from tests.conftest import Launch
from tests.servers import Backend
from webapi.main import THREADS
from webapi.streams import BODIES, RETRY_AFTER_SECONDS


def ask(port: str, path: str) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def answers(port: str) -> bool:
    """Whether it is ready."""
    try:
        return ask(port, "/readyz")[0] == 200
    except OSError:
        return False


@pytest.mark.any_servers
def test_it_serves_until_it_is_told_to_stop(backend: Backend, launch: Launch) -> None:
    environment = backend.environment()
    schema.migrate(environment["DATABASE_URL"])
    child, port = launch("webapi", environment), environment["WEBAPI_PORT"]
    assert wait_until(lambda: answers(port), 20)
    assert ask(port, "/stats?type=traffic&scope=all")[1]["data"] == {"total_request": 0, "unique_ips": 0}
    assert ask(port, "/logs?path=%25%C3%A9&from=2025-06-10T10:41:40+02:00")[1]["data"] == []
    status, problem = ask(port, "/" + urllib.parse.quote("é /x"))
    assert (status, problem["instance"]) == (404, "/%C3%A9%20/x")
    status, problem = ask(port, "/logs?limit=%C3%A9")
    assert (status, problem["errors"][0]["pointer"]) == (400, "limit")

    begun = time.monotonic()
    child.terminate()
    assert child.wait(5) == 0
    assert time.monotonic() - begun < 5
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port))) != 0


@pytest.mark.any_servers
def test_a_worker_whose_parent_was_killed_ends_too(backend: Backend, launch: Launch) -> None:
    environment = backend.environment()
    schema.migrate(environment["DATABASE_URL"])
    child, port = launch("webapi", environment), environment["WEBAPI_PORT"]
    assert wait_until(lambda: answers(port), 20)
    os.kill(child.pid, signal.SIGKILL)
    assert wait_until(lambda: not answers(port), 5)


@pytest.mark.any_servers
def test_strangers_who_begin_to_log_in_and_do_not_end_delay_nobody_else(backend: Backend, launch: Launch) -> None:
    environment = backend.environment(REQUIRE_API_KEYS="1")
    schema.migrate(environment["DATABASE_URL"])
    launch("webapi", environment)
    port = environment["WEBAPI_PORT"]
    assert wait_until(lambda: answers(port), 20)
    head = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", int(port)), 10)) for _ in range(3 * THREADS)]
        for one in slow:
            one.sendall(head)
        waiting, refused = len(slow), b""
        for one in slow:
            one.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                refused = one.recv(4096)
                waiting -= 1
        assert (waiting, refused.split(b" ")[1]) == (BODIES, b"429")
        assert b"retry-after: %d" % RETRY_AFTER_SECONDS in refused.lower()
        assert ask(port, "/healthz")[0] == 200
        assert ask(port, "/stats")[0] == 401


def test_a_port_in_use_names_the_setting(launch: Launch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        child = launch("webapi", {"WEBAPI_PORT": str(taken.getsockname()[1])})
        assert child.wait(20) == 78
    assert child.log is not None
    assert "WEBAPI_PORT" in child.log.read_text()
