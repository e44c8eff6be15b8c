"""What the processes under load use: ours, and the servers that run on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from cli.bench import machine
from pipeline.settings import Settings

_LOCAL = ("localhost", "127.0.0.1", "::1")


class Usage:
    """Processor time and memory, by process."""

    def __init__(self, settings: Settings, leaders: Mapping[str, int]) -> None:
        """`leaders` are the pids of our processes, each of which leads a session of its own."""
        self._leaders = leaders
        self._servers = {
            "kafka": _behind(*(f"kafka://{server}" for server in settings.kafka_bootstrap_servers.split(","))),
            "redis": _behind(settings.redis_url, settings.cache_url),
            "database": _behind(settings.database_url or ""),
        }

    def cpu_seconds(self) -> dict[str, float]:
        """User and system so far; of servers, those that run here."""
        found = {name: machine.session(leader) for name, leader in self._leaders.items()}
        return {name: machine.cpu_seconds(pids) for name, pids in (found | self._servers).items() if pids}

    def megabytes(self) -> dict[str, float]:
        """Resident memory of our processes, now."""
        return {name: machine.resident(machine.session(leader)) / 1e6 for name, leader in self._leaders.items()}


def _behind(*urls: str) -> list[int]:
    """The pids of the servers that URLs lead to, where they run here."""
    ports = {parts.port for parts in map(urlsplit, urls) if parts.port and parts.hostname in _LOCAL}
    return sorted({pid for port in ports for pid in machine.listening(port)})
