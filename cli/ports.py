"""TCP ports of this machine: which are free, and who answers on them."""

from __future__ import annotations

import random
import socket
import struct

# Below what the kernel hands out to outgoing connections, so that a server finds its port again after a restart.
_RANGE = range(15_000, 32_000)


def is_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody could listen on `port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def free(count: int) -> list[int]:
    """`count` different ports that nobody listens on."""
    found: set[int] = set()
    while len(found) < count:
        port = random.choice(_RANGE)
        if not is_taken(port):
            found.add(port)
    return list(found)


def kafka_answers(port: int) -> bool:
    """Whether a Kafka broker on this machine answers an ApiVersions request (version 0, without a client's name)."""
    return len(_ask(port, struct.pack(">ihhih", 10, 18, 0, 1, -1))) > 4


def redis_answers(port: int) -> bool:
    """Whether a Redis on this machine answers, having read its data."""
    return _ask(port, b"PING\r\n").startswith(b"+PONG")


def mysql_answers(port: int) -> bool:
    """Whether a MySQL or MariaDB on this machine greets who connects."""
    return len(_ask(port, b"")) > 5


def _ask(port: int, request: bytes) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(request)
            return connection.recv(4096)
    except OSError:
        return b""
