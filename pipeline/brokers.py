"""Whether Kafka answers at all, asked before a client is built: one that finds no broker leaves a thread behind."""

from __future__ import annotations

import socket

from pipeline.errors import Unavailable


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
