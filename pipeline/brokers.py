"""How brokers are reached: whether one answers at all, and nothing left of a client that could not be built."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka.net.compat import KafkaNetClient

from pipeline.errors import Unavailable


@contextmanager
def connecting() -> Iterator[Callable[..., KafkaNetClient]]:
    """What a client is to be built with, as its `kafka_client`.

    Where that raises, the connections are closed: kafka-python's constructors leave them, and a thread, behind.
    """
    made: list[KafkaNetClient] = []

    def connect(**options: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**options))
        return made[-1]

    try:
        yield connect
    except BaseException:
        for client in made:
            client.close()
        raise


def require_answer(bootstrap_servers: str) -> None:
    """Raises Unavailable unless one of the servers takes a connection."""
    failure: OSError | None = None
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]") or server, int(port or 9092)), timeout=1).close()
        except (OSError, ValueError) as error:
            failure = error if isinstance(error, OSError) else OSError(f"{server} is no host:port")
        else:
            return
    raise Unavailable("kafka", f"{bootstrap_servers}: {failure}")
