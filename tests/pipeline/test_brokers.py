"""What becomes of a client that cannot be built: nothing of it stays."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest
from kafka.errors import KafkaConnectionError
from kafka.net.transport import KafkaTCPTransport

from cli import ports
from cli.child import wait_until
from pipeline import brokers, kafka, producer
from pipeline import topic as topics
from pipeline.errors import Unavailable
from pipeline.settings import Settings
from tests.topics import Topic, topic

__all__ = ["topic"]


@pytest.fixture
def hangs_up() -> Iterator[int]:
    """The port of something that takes every connection and ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    listening.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_nobody_has_a_topic_made_by_asking_for_it(topic: Topic) -> None:
    reader, made = kafka.consuming(topic.settings), producer.build(topic.settings)
    for client in (reader._client, made._sender._client):
        assert client.cluster.metadata_request().allow_auto_topic_creation is False
    reader.close(autocommit=False)
    producer.abandon(made)


class _Unspeakable(socket.socket):
    def __repr__(self) -> str:
        raise AssertionError("nobody is to spell this out")


def test_nobody_spells_a_socket_out_before_each_request(topic: Topic) -> None:
    reader, made = kafka.consuming(topic.settings), producer.build(topic.settings)
    with _Unspeakable() as unknown:
        for client in (reader._client, made._sender._client):
            with pytest.raises(KeyError, match=str(unknown.fileno())):
                client._net._selector.get_key(unknown)
    known = made._sender._client._net._wakeup_r
    assert made._sender._client._net._selector.get_key(known).fileobj is known
    reader.close(autocommit=False)
    producer.abandon(made)


@pytest.mark.parametrize(
    ("build", "module", "timeout", "shorter"),
    [
        (producer.build, producer, "CONNECT_SECONDS", 0.3),
        (topics.TopicAdmin, topics, "CONNECT_MS", 300),
        (kafka.RangeReader, kafka, "CONNECT_MS", 300),
    ],
    ids=["producer", "admin", "reader"],
)
def test_a_client_that_cannot_be_built_leaves_no_socket_and_no_thread(
    hangs_up: int,
    monkeypatch: pytest.MonkeyPatch,
    build: Callable[[Settings], object],
    module: ModuleType,
    timeout: str,
    shorter: float,
) -> None:
    monkeypatch.setattr(module, timeout, shorter)
    given = Settings(kafka_bootstrap_servers=f"127.0.0.1:{hangs_up}")

    with _nothing_left():
        for _ in range(5):
            with pytest.raises(Unavailable, match="kafka"):
                build(given)


@pytest.fixture
def refuses() -> int:
    """A port that nobody listens on."""
    return ports.free(1)[0]


@pytest.fixture
def does_not_answer() -> Iterator[int]:
    """The port of something that has no room for another connection: whoever wants one waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        yield full.getsockname()[1]


@pytest.mark.parametrize(
    ("peer", "seconds", "why"),
    [("refuses", 10, "ECONNREFUSED"), ("does_not_answer", 0.2, "timed out"), ("does_not_answer", 0, "timed out")],
)
def test_a_connection_that_does_not_come_about_leaves_no_socket(
    peer: str, seconds: float, why: str, request: pytest.FixtureRequest
) -> None:
    port = request.getfixturevalue(peer)
    with brokers.connecting() as connect:
        client = connect(bootstrap_servers=[f"127.0.0.1:{port}"])
        (broker,) = client.cluster.bootstrap_brokers()
        waited_for = {*client._net._selector.get_map()}
        with _nothing_left(), pytest.raises(KafkaConnectionError, match=why):
            client._net.run(client._manager._build_transport, broker, time.monotonic() + seconds)
        assert {*client._net._selector.get_map()} == waited_for
        client.close()


def test_a_write_waits_for_nothing_but_a_socket_that_takes_no_more() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        assert brokers._is_writable(ours)
        with suppress(BlockingIOError):
            while True:
                ours.send(b"x" * 65_536)
        assert not brokers._is_writable(ours)
        theirs.close()
        # It fails, and so does not wait.
        assert brokers._is_writable(ours)
    assert not brokers._is_writable(ours)


def test_what_a_socket_does_not_take_at_once_is_sent_as_it_is_read() -> None:
    ours, theirs = socket.socketpair()
    sent = bytes(range(256)) * 16_384
    with ours, theirs, closing(brokers._Net(selector=brokers._Selector)) as net:
        ours.setblocking(False)
        transport = KafkaTCPTransport(net, ours)
        transport.write(sent)
        got = bytearray()
        theirs.settimeout(5)
        while len(got) < len(sent):
            net.poll(timeout_ms=0)
            got += theirs.recv(1 << 16)
        assert got == sent


@contextmanager
def _nothing_left() -> Iterator[None]:
    """Fails where a thread or a socket of the time between stays until garbage is collected."""

    def held() -> set[object]:
        # By what they are and not how many: what an earlier test left may end meanwhile.
        found: set[object] = set(threading.enumerate())
        for link in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                found.add(link.readlink())
        return found

    gc.collect()
    gc.disable()
    try:
        before = held()
        yield
        # Whoever hangs up may be about to do so.
        assert wait_until(lambda: held() <= before, 5)
    finally:
        gc.enable()
