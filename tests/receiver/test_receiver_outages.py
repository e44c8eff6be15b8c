"""What a receiver under load keeps when it is stopped, and when Kafka freezes or dies under it."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from cli.child import Child, wait_until
from pipeline import uploads
from tests.receiver import wire
from tests.receiver.wire import BODY, Environment
from tests.servers import Backend

Launch = Callable[..., Child]


@dataclass
class Journal:
    """What clients were told: the keys of the 202s, and how often each status came."""

    accepted: set[bytes] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    cut: int = 0


@contextmanager
def load(environment: Environment, clients: int = 8) -> Iterator[Journal]:
    """Clients that upload as fast as they are answered, each on a connection that it keeps."""
    journal, stop, lock = Journal(), threading.Event(), threading.Lock()

    def client(name: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", int(environment["RECEIVER_PORT"]), timeout=10)
        for number in range(1_000_000):
            if stop.is_set():
                break
            key = f"{name}-{number}"
            began = time.monotonic()
            try:
                connection.request("POST", "/upload", BODY, {"Idempotency-Key": key})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                with lock:
                    journal.cut += 1
                connection.close()
                stop.wait(0.05)
                continue
            with lock:
                journal.statuses[answer.status] += 1
                journal.slowest = max(journal.slowest, time.monotonic() - began)
                if answer.status == 202:
                    journal.accepted.add(key.encode())
            if answer.status == 503:
                stop.wait(0.05)
        connection.close()

    threads = [threading.Thread(target=client, args=(name,)) for name in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield journal
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def environment(backend: Backend) -> Environment:
    """Settings and their topic."""
    environment = backend.environment()
    wire.make_topic(environment)
    return environment


@pytest.fixture
def receiver(launch: Launch, environment: Environment) -> Child:
    """A receiver that is ready."""
    child = launch("receiver", environment)
    wire.require_ready(environment)
    return child


def keys(backend: Backend, environment: Environment) -> set[bytes | None]:
    """The keys of the uploads in the topic."""
    return {
        upload.key for record in wire.records(backend, environment["KAFKA_TOPIC"]) for upload in uploads.held(record)
    }


def test_a_stop_under_load_loses_nothing_that_was_acknowledged(
    backend: Backend, environment: Environment, receiver: Child
) -> None:
    with load(environment) as journal:
        assert wait_until(lambda: len(journal.accepted) > 300, 20)
        receiver.terminate()
        assert receiver.wait(5) == 0
    assert set(journal.statuses) == {202}
    assert journal.accepted <= keys(backend, environment)


def test_a_stop_answers_what_is_in_flight_even_while_kafka_is_frozen(
    backend: Backend, environment: Environment, receiver: Child
) -> None:
    assert wire.post(environment, BODY)[0] == 202
    backend.servers["kafka"].freeze()
    answered: list[int] = []
    threads = [threading.Thread(target=lambda: answered.append(wire.post(environment, BODY)[0])) for _ in range(5)]
    for thread in threads:
        thread.start()
    in_hand = 5 * len(BODY)
    assert wait_until(lambda: wire.metric(environment, "receiver_bytes_in_hand") == in_hand or len(answered) == 5, 10)
    receiver.terminate()
    assert receiver.wait(5) == 0
    for thread in threads:
        thread.join()
    assert answered == [503] * 5


@pytest.mark.any_servers
def test_a_client_that_stalls_does_not_hold_up_a_stop(environment: Environment, receiver: Child) -> None:
    address = ("127.0.0.1", int(environment["RECEIVER_PORT"]))
    with socket.create_connection(address), socket.create_connection(address) as stalled:
        stalled.sendall(b"POST /upload HTTP/1.1\r\nHost: tally\r\nContent-Length: 100\r\n\r\nx")
        assert wire.post(environment, BODY)[0] == 202
        receiver.terminate()
        assert receiver.wait(5) == 0


def test_kafka_frozen_is_answered_soon_and_recovered_from(
    backend: Backend, environment: Environment, receiver: Child
) -> None:
    with load(environment) as journal:
        assert wait_until(lambda: len(journal.accepted) > 100, 20)
        backend.servers["kafka"].freeze()
        assert wait_until(lambda: journal.statuses[503] > 50, 10)
        slowest, before = journal.slowest, len(journal.accepted)
        assert wire.post(environment, BODY)[2] < 0.5
        assert wire.get(environment, "/readyz")[0] == 503
        backend.servers["kafka"].thaw()
        assert wait_until(lambda: len(journal.accepted) > before + 100, 20)
    assert slowest < 2.2
    assert set(journal.statuses) == {202, 503}
    assert receiver.alive()
    assert journal.accepted <= keys(backend, environment)


def test_kafka_killed_is_answered_soon_and_recovered_from(
    backend: Backend, environment: Environment, receiver: Child
) -> None:
    with load(environment) as journal:
        assert wait_until(lambda: len(journal.accepted) > 100, 20)
        backend.servers["kafka"].kill()
        assert wait_until(lambda: journal.statuses[503] > 50, 10)
        slowest, before = journal.slowest, len(journal.accepted)
        backend.servers["kafka"].start()
        if not receiver.alive():
            # Kafka's start took longer than ten producers' patience; whoever supervises the receiver starts it again.
            assert receiver.wait(0) == 69
            receiver.start()
        if backend.name == "embedded":
            wire.make_topic(environment)
        assert wait_until(lambda: len(journal.accepted) > before + 100, 30)
    assert slowest < 2.2
    assert receiver.alive()
    if backend.name == "real":
        assert journal.accepted <= keys(backend, environment)
