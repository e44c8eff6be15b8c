"""TCP ports of this machine: which are free, and who answers on them."""

from __future__ import annotations

import random
import socket
import struct
from collections import deque

from pipeline import port
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

# Below what the kernel hands out to outgoing connections, so that a server finds its port again after a restart.
RANGE = range(15_000, 32_000)
# The next to be given is the first; a port that was given goes to the end.
_candidates = deque(random.sample(RANGE, len(RANGE)))


def is_taken(number: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1 now."""
    try:
        port.require_free("127.0.0.1", number, "")
    except ConfigurationError:
        return True
    return False


def require_free(settings: Settings, *processes: str) -> None:
    """Raises ConfigurationError, naming the setting to change, where a process's port is taken or given twice."""
    seen: dict[int, str] = {}
    for setting, host, number in (_listener(settings, process) for process in processes):
        if number in seen:
            raise ConfigurationError(f"port {number} is given twice: {seen[number]} and {setting} need one each")
        seen[number] = setting
        port.require_free(host, number, setting)


def host(settings: Settings, process: str) -> str:
    """The host that a process listens on."""
    return _listener(settings, process)[1]


def address(settings: Settings, process: str) -> str:
    """Where a process on this machine answers HTTP: `http://127.0.0.1:8080`."""
    _, host, number = _listener(settings, process)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{number}" if ":" in host else f"http://{host}:{number}"


def _listener(settings: Settings, process: str) -> tuple[str, str, int]:
    """The variable that sets a process's port, its host, and the port."""
    own = process in ("receiver", "webapi")
    field = f"{process}_port" if own else f"{process}_admin_port"
    host = f"{process}_host" if own else "admin_host"
    return field.upper(), getattr(settings, host), getattr(settings, field)


def free(count: int) -> list[int]:
    """`count` different ports that nobody listens on.

    None is given a second time before all have been: whom it was given to may not listen on it yet.
    """
    found: list[int] = []
    while len(found) < count:
        _candidates.rotate(-1)
        if not is_taken(_candidates[-1]):
            found.append(_candidates[-1])
    return found


def share(part: int, of: int) -> None:
    """From now on, `free` gives this process one of `of` shares alone, no port of which is in another."""
    numbers = RANGE[part::of]
    _candidates.clear()
    _candidates.extend(random.sample(numbers, len(numbers)))


def kafka_answers(number: int) -> bool:
    """Whether a Kafka broker on this machine answers an ApiVersions request (version 0, without a client's name)."""
    return len(_ask(number, struct.pack(">ihhih", 10, 18, 0, 1, -1))) > 4


def redis_answers(number: int) -> bool:
    """Whether a Redis on this machine answers, having read its data."""
    return _ask(number, b"PING\r\n").startswith(b"+PONG")


def mysql_answers(number: int) -> bool:
    """Whether a MySQL or MariaDB on this machine greets who connects."""
    return len(_ask(number, b"")) > 5


def _ask(number: int, request: bytes) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", number), timeout=1) as connection:
            connection.sendall(request)
            return connection.recv(4096)
    except OSError:
        return b""
