"""Clients that begin an upload and do not end it: they take nothing from those that do."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Callable, Iterator

import pytest

from cli.child import Child, wait_until
from pipeline import web_server
from receiver.wiring import IN_HAND
from tests.receiver import wire
from tests.receiver.wire import BODY, Environment
from tests.servers import Backend

Launch = Callable[..., Child]
LIMIT = 65_536
CLIENTS = 64
# Of each slow client's upload so much comes: of all together nearly as much as may be in hand.
HALF = IN_HAND * LIMIT // CLIENTS - 100
HEAD = b"POST /upload HTTP/1.1\r\nHost: tally\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
SECONDS = 2.0
HEADS = 1_500
_, MOST_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)


@pytest.fixture
def environment(backend: Backend, launch: Launch) -> Environment:
    """Settings of a receiver that is ready, and in which little may be in hand."""
    environment = backend.environment(MAX_BODY_BYTES=str(LIMIT))
    wire.make_topic(environment)
    launch("receiver", environment)
    wire.require_ready(environment)
    return environment


@contextlib.contextmanager
def halves(environment: Environment, clients: int, request: bytes) -> Iterator[list[socket.socket]]:
    """So many clients that have sent the beginning of a request, and wait."""
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", int(environment["RECEIVER_PORT"]))
        opened = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(clients)]
        for connection in opened:
            connection.sendall(request)
        yield opened


def in_hand(environment: Environment) -> float:
    """The bytes of uploads that the receiver holds."""
    return wire.metric(environment, "receiver_bytes_in_hand")


@pytest.mark.any_servers
def test_half_a_head_or_half_a_body_delays_nobody(environment: Environment) -> None:
    body = HEAD % LIMIT + b" " * HALF
    with halves(environment, CLIENTS, HEAD[:60]), halves(environment, CLIENTS, body) as slow:
        assert wait_until(lambda: in_hand(environment) == CLIENTS * HALF, 10), in_hand(environment)
        for number in range(3 * CLIENTS):
            slow[number % CLIENTS].sendall(b" ")
            if number % 8 == 0:
                status, _, seconds = wire.post(environment, BODY)
                assert (status, seconds < SECONDS) == (202, True)
    assert wait_until(lambda: in_hand(environment) == 0, 10), in_hand(environment)


@pytest.mark.any_servers
def test_more_heads_than_there_were_connections_for_keep_nobody_out_and_end(environment: Environment) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 4096), MOST_FILES))
    with halves(environment, HEADS, HEAD[:60]) as slow:
        status, _, seconds = wire.post(environment, BODY)
        assert (status, seconds < SECONDS) == (202, True)
        for connection in slow:
            connection.settimeout(3 * web_server.HEAD_SECONDS)
            assert not connection.recv(1000).startswith(b"HTTP/1.1 2")


@pytest.mark.any_servers
def test_what_does_not_fit_beside_them_is_refused_for_now_and_said(environment: Environment) -> None:
    with halves(environment, CLIENTS, HEAD % LIMIT + b" " * HALF):
        assert wait_until(lambda: in_hand(environment) == CLIENTS * HALF, 10), in_hand(environment)
        large = BODY + b" " * (LIMIT - len(BODY))
        status, answer, seconds = wire.post(environment, large)
        assert (status, seconds < SECONDS) == (503, True)
        assert "in hand" in answer["detail"]
    assert wait_until(lambda: wire.post(environment, large)[0] == 202, 10)
