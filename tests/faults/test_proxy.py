"""The proxy does what fault tests say that it does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from cli.child import wait_until
from tests.faults.proxy import Proxy, proxied


@contextlib.contextmanager
def echo() -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers what it is told, in capitals; its port, and what it was told."""
    told: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while said := connection.recv(100):
                told.append(said)
                connection.sendall(said.upper())

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield int(listening.getsockname()[1]), told


def ask(connection: socket.socket, words: bytes) -> bytes:
    """What comes back; nothing where the connection was cut."""
    try:
        connection.sendall(words)
        return connection.recv(100)
    except ConnectionError:
        return b""


@pytest.fixture
def told() -> Iterator[tuple[Proxy, list[bytes]]]:
    """A proxy of such a server."""
    with echo() as (port, words), proxied(port) as proxy:
        yield proxy, words


def connect(proxy: Proxy) -> socket.socket:
    """A connection to it."""
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def test_a_reply_is_lost_once_after_the_server_has_done_what_was_asked(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, words = told
    with connect(proxy) as one, connect(proxy) as other:
        proxy.swallow(lambda chunk: b"commit" in chunk)
        assert (ask(one, b"begin"), ask(other, b"begin")) == (b"BEGIN", b"BEGIN")
        assert ask(one, b"commit") == b""
        assert ask(other, b"commit") == b"COMMIT"
    assert (words.count(b"commit"), proxy.swallowed) == (2, 1)


def test_frozen_nothing_passes_and_nothing_is_lost(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, words = told
    with connect(proxy) as one:
        assert ask(one, b"a") == b"A"
        proxy.freeze()
        one.sendall(b"b")
        one.settimeout(0.2)
        with pytest.raises(TimeoutError):
            one.recv(100)
        assert words == [b"a"]
        proxy.thaw()
        one.settimeout(5)
        assert one.recv(100) == b"B"


def test_cut_connections_end_and_new_ones_are_made(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, _ = told
    with connect(proxy) as one:
        assert ask(one, b"a") == b"A"
        proxy.cut()
        assert wait_until(lambda: ask(one, b"b") == b"", 5)
    with connect(proxy) as one:
        assert ask(one, b"c") == b"C"
