"""The receiver as it runs: a process that listens, in front of a real broker."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from cli.child import Child, wait_until
from pipeline import batch, uploads
from pipeline.port import require_free
from tests.receiver import wire
from tests.receiver.wire import BODY, LINE, Environment
from tests.servers import Backend

Launch = Callable[..., Child]
LIMIT = 4096


@pytest.fixture
def environment(backend: Backend) -> Environment:
    """Settings with a small limit, and their topic."""
    environment = backend.environment(MAX_BODY_BYTES=str(LIMIT))
    wire.make_topic(environment)
    return environment


@pytest.fixture
def receiver(launch: Launch, environment: Environment) -> Child:
    """A receiver that is ready."""
    child = launch("receiver", environment)
    wire.require_ready(environment)
    return child


@pytest.mark.usefixtures("receiver")
def test_a_record_is_the_body_verbatim_with_its_headers(backend: Backend, environment: Environment) -> None:
    body = f' ["{LINE}",\n "bad", "{LINE.replace("products", "é")}"] '.encode()
    status, answer, _ = wire.post(environment, body, {"Idempotency-Key": "key-1", "X-Request-ID": "request-1"})
    assert (status, answer["accepted"], answer["rejected"]) == (202, 2, 1)
    (record,) = wire.records(backend, environment["KAFKA_TOPIC"])
    assert record.value == body
    assert record.key is None
    headers = dict(record.headers)
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", headers.pop("received"))
    assert headers == {"format": b"lines", "lines": b"3", "key": b"key-1", "request": b"request-1"}


@pytest.mark.usefixtures("receiver")
def test_uploads_that_come_at_once_share_records_and_each_stays_what_it_was(
    backend: Backend, environment: Environment
) -> None:
    bodies = {f"key-{n}": json.dumps([LINE.replace("/products", f"/{n}")] * (n % 3 + 1)).encode() for n in range(200)}
    with ThreadPoolExecutor(40) as clients:
        sent = [clients.submit(wire.post, environment, body, {"Idempotency-Key": key}) for key, body in bodies.items()]
        assert {one.result()[0] for one in sent} == {202}
    records = list(wire.records(backend, environment["KAFKA_TOPIC"]))
    found = [upload for record in records for upload in uploads.held(record)]
    assert {(upload.key or b"").decode(): upload.body for upload in found} == bodies
    assert len(found) == 200 > len(records)
    assert sum(map(batch.lines, records)) == sum(len(json.loads(body)) for body in bodies.values())
    assert all(len(record.value) <= LIMIT for record in records)


@pytest.mark.any_servers
@pytest.mark.usefixtures("receiver")
def test_a_body_over_the_limit_is_refused_however_it_comes(backend: Backend, environment: Environment) -> None:
    large = json.dumps([LINE] * 100).encode()
    exact = BODY + b" " * (LIMIT - len(BODY))
    assert wire.post(environment, exact)[0] == 202
    assert wire.post(environment, iter([exact]))[0] == 202
    assert wire.post(environment, exact + b" ")[0] == 413
    assert wire.post(environment, iter([exact, b" "]))[0] == 413
    assert wire.post(environment, large)[0] == 413
    assert wire.post(environment, iter([large[i : i + 100] for i in range(0, len(large), 100)]))[0] == 413
    assert len(list(wire.records(backend, environment["KAFKA_TOPIC"]))) == 2


@pytest.mark.any_servers
@pytest.mark.usefixtures("receiver")
def test_a_body_far_over_the_limit_is_answered_and_not_kept_in_memory(environment: Environment) -> None:
    before = wire.metric(environment, "process_resident_memory_bytes")
    chunk = b" " * 100_000
    for _ in range(2):
        assert wire.post(environment, (chunk for _ in range(500)))[0] == 413
        assert wire.post(environment, chunk * 500)[0] == 413
    assert wire.metric(environment, "process_resident_memory_bytes") - before < 20_000_000


@pytest.mark.any_servers
@pytest.mark.usefixtures("receiver")
def test_a_length_that_lies_keeps_nothing(backend: Backend, environment: Environment) -> None:
    head = b"POST /upload HTTP/1.1\r\nHost: tally\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    assert b" 202 " not in wire.raw(environment, head % (len(BODY) + 10) + BODY, end=True)
    assert wire.raw(environment, head % (len(BODY) - 1) + BODY).startswith(b"HTTP/1.1 400 ")
    assert wire.raw(environment, head % (LIMIT + 1)).startswith(b"HTTP/1.1 413 ")
    assert wire.post(environment, BODY)[0] == 202
    assert len(list(wire.records(backend, environment["KAFKA_TOPIC"]))) == 1


@pytest.mark.any_servers
@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize(
    "headers",
    [
        b"Host: tally\r\nTransfer-Encoding: gzip, chunked",
        b"Host: tally\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        b"Host: tally\r\nHost: other\r\nTransfer-Encoding: chunked",
    ],
)
def test_what_another_server_might_read_otherwise_is_refused(
    backend: Backend, environment: Environment, headers: bytes
) -> None:
    head = b"POST /upload HTTP/1.1\r\n" + headers + b"\r\nConnection: close\r\n\r\n"
    assert wire.raw(environment, head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)).startswith(b"HTTP/1.1 400 ")
    assert list(wire.records(backend, environment["KAFKA_TOPIC"])) == []


@pytest.mark.any_servers
@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize(
    "lengths",
    [b"Content-Length: %d\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: %d"],
)
def test_beside_chunks_a_length_says_nothing_and_no_chunk_is_left_out(
    backend: Backend, environment: Environment, lengths: bytes
) -> None:
    head = b"POST /upload HTTP/1.1\r\nHost: tally\r\nConnection: close\r\n" + lengths % len(BODY) + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(environment["RECEIVER_PORT"])), timeout=10) as connection:
        connection.sendall(head + b"%x\r\n%b\r\n" % (len(BODY), BODY))
        time.sleep(0.1)  # so that what the length says is there alone
        connection.sendall(b"3\r\n   \r\n0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")
    assert [record.value for record in wire.records(backend, environment["KAFKA_TOPIC"])] == [BODY + b"   "]


@pytest.mark.any_servers
@pytest.mark.usefixtures("receiver")
def test_pages_and_problems(environment: Environment) -> None:
    assert wire.get(environment, "/healthz") == (200, {"status": "ok"})
    assert wire.get(environment, "/readyz") == (200, {"status": "ok", "checks": {"kafka": "ok"}})
    assert wire.get(environment, "/upload")[0] == 405
    assert wire.get(environment, "/uploads")[1]["title"] == "Not Found"
    assert f"{LIMIT} bytes" in wire.get(environment, "/openapi.json")[1]["paths"]["/upload"]["post"]["description"]
    assert wire.metric(environment, "process_resident_memory_bytes") > 0


def test_a_receiver_started_before_kafka_comes_up_and_names_it(
    backend: Backend, environment: Environment, launch: Launch
) -> None:
    backend.servers["kafka"].freeze()
    launch("receiver", environment)
    assert wait_until(lambda: wire.answers(environment), 15)
    status, answer, seconds = wire.post(environment, BODY)
    assert (status, answer["status"]) == (503, 503)
    assert seconds < 2
    status, answer = wire.get(environment, "/readyz")
    assert status == 503
    assert "kafka is not available" in answer["checks"]["kafka"]
    backend.servers["kafka"].thaw()
    wire.require_ready(environment)
    assert wire.post(environment, BODY)[0] == 202


@pytest.mark.any_servers
def test_a_port_in_use_is_said_with_the_setting(environment: Environment, launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", int(environment["RECEIVER_PORT"]))):
        child = launch("receiver", environment)
        assert child.wait(20) == 78
    assert child.log
    assert "RECEIVER_PORT" in child.log.read_text()


@pytest.mark.any_servers
def test_a_worker_whose_parent_was_killed_ends_too(receiver: Child, environment: Environment) -> None:
    os.kill(receiver.pid, signal.SIGKILL)

    def is_free() -> bool:
        try:
            require_free("127.0.0.1", int(environment["RECEIVER_PORT"]), "RECEIVER_PORT")
        except Exception:
            return False
        return True

    assert wait_until(is_free, 5)
