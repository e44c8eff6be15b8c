"""The admin server, over real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter

from pipeline import admin
from pipeline.errors import ConfigurationError, Unavailable
from pipeline.health import Check, readiness
from pipeline.port import require_free


def well() -> None:
    """A check of something that is well."""


def away() -> None:
    raise Unavailable("kafka", "nobody answers")


@contextmanager
def serving(checks: Mapping[str, Check], registry: CollectorRegistry | None = None) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = admin.serve("127.0.0.1", port, "CONSUMER_ADMIN_PORT", checks, registry or CollectorRegistry())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()


def get(url: str, method: str = "GET") -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def test_a_process_that_lives_is_healthy_whatever_its_dependencies_say() -> None:
    with serving({"kafka": away}) as url:
        assert get(f"{url}/healthz")[0] == 200


def test_ready_names_each_dependency() -> None:
    with serving({"kafka": away, "database": well}) as url:
        status, _, body = get(f"{url}/readyz")
    assert status == 503
    assert json.loads(body)["checks"] == {"kafka": "kafka is not available: nobody answers", "database": "ok"}
    with serving({"database": well}) as url:
        assert get(f"{url}/readyz")[0] == 200


def test_a_dependency_that_hangs_does_not_hang_the_answer() -> None:
    release = threading.Event()
    began = time.monotonic()
    ok, answers = readiness({"database": lambda: release.wait(60) and None, "kafka": well}, 0.2)
    release.set()
    assert time.monotonic() - began < 5
    assert not ok
    assert answers == {"database": "no answer within 0.2 s", "kafka": "ok"}


def test_metrics_are_those_of_the_registry() -> None:
    registry = CollectorRegistry()
    Counter("pipeline_lines_stored", "Lines stored.", registry=registry).inc(3)
    with serving({}, registry) as url:
        status, content_type, body = get(f"{url}/metrics")
    assert status == 200
    assert content_type.startswith("text/plain")
    assert b"pipeline_lines_stored_total 3.0" in body


def test_any_other_path_or_method_is_a_problem() -> None:
    with serving({}) as url:
        for answer, expected in ((get(f"{url}/nothing"), 404), (get(f"{url}/healthz", "POST"), 405)):
            status, content_type, body = answer
            assert (status, content_type) == (expected, "application/problem+json")
            assert json.loads(body)["status"] == expected


def test_a_port_in_use_is_said_with_the_setting_to_change() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port} is in use.*CONSUMER_ADMIN_PORT"):
            admin.serve("127.0.0.1", port, "CONSUMER_ADMIN_PORT", {})
        with pytest.raises(ConfigurationError, match=f"port {port} is in use.*RECEIVER_PORT"):
            require_free("127.0.0.1", port, "RECEIVER_PORT")


def test_a_host_that_is_not_ours_is_said_with_the_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1 \(RECEIVER_PORT\)"):
        require_free("192.0.2.1", 8080, "RECEIVER_PORT")


def test_a_closed_server_gives_its_port_back() -> None:
    with serving({}) as url:
        port = int(url.rsplit(":", 1)[1])
    require_free("127.0.0.1", port, "CONSUMER_ADMIN_PORT")
