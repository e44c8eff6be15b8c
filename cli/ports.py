"""TCP ports of this machine: which are free, and who answers on them."""

from __future__ import annotations

import errno
import random
import socket
import struct

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

# Below what the kernel hands out to outgoing connections, so that a server finds its port again after a restart.
_RANGE = range(15_000, 32_000)


def is_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens on `port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def require_free(settings: Settings, *processes: str) -> None:
    """Raises ConfigurationError, naming the setting to change, where a process's port is taken or given twice."""
    seen: dict[int, str] = {}
    for field, host, port in (_listener(settings, process) for process in processes):
        if port in seen:
            raise ConfigurationError(f"port {port} is given twice: {seen[port]} and {field} need one each")
        seen[port] = field
        if is_taken(port, host):
            raise ConfigurationError(f"port {port} is in use: stop who listens there, or set {field} to another port")


def address(settings: Settings, process: str) -> str:
    """Where a process on this machine answers HTTP: `http://127.0.0.1:8080`."""
    _, host, port = _listener(settings, process)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listener(settings: Settings, process: str) -> tuple[str, str, int]:
    """The variable that sets a process's port, its host, and the port."""
    own = process in ("receiver", "webapi")
    field = f"{process}_port" if own else f"{process}_admin_port"
    host = f"{process}_host" if own else "admin_host"
    return field.upper(), getattr(settings, host), getattr(settings, field)


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
