"""What becomes of a client that cannot be built: nothing of it stays."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pipeline import kafka, producer, topic
from pipeline.errors import Unavailable
from pipeline.settings import Settings


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


@pytest.mark.parametrize(
    ("build", "module", "timeout", "shorter"),
    [
        (producer.build, producer, "CONNECT_SECONDS", 0.3),
        (topic.TopicAdmin, topic, "CONNECT_MS", 300),
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

    def left() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    gc.collect()
    gc.disable()
    try:
        before = left()
        for _ in range(5):
            with pytest.raises(Unavailable, match="kafka"):
                build(given)
        assert left() == before
    finally:
        gc.enable()
