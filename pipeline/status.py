"""What a process says of itself, in the cache, once a second: its counters and its last error."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry

from pipeline.cache import Cache
from pipeline.errors import Unavailable
from pipeline.moment import rfc3339
from pipeline.process import Loop


class LastError(logging.Handler):
    """Remembers the last error that was logged, and when."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last: dict[str, str] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Takes our own events, which are dicts, and the libraries' texts."""
        event = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        said = ": ".join(str(event[key]) for key in ("event", "error") if key in event)
        self.last = {"at": rfc3339(datetime.fromtimestamp(record.created, UTC)), "error": said[:500]}


class Status:
    """A step for a process's loops: puts its status into the cache."""

    def __init__(self, cache: Cache, name: str, registry: CollectorRegistry) -> None:
        """Begins to remember errors now."""
        self._cache = cache
        self._name = name
        self._registry = registry
        self._errors = LastError()
        self._started = rfc3339(datetime.now(UTC))
        logging.getLogger().addHandler(self._errors)

    def step(self) -> bool:
        """Never raises for a cache that is away: the next second comes."""
        status: dict[str, Any] = {
            "name": self._name,
            "at": rfc3339(datetime.now(UTC)),
            "started_at": self._started,
            "counters": _totals(self._registry),
            "last_error": self._errors.last,
        }
        with suppress(Unavailable):
            self._cache.keep_status(self._name, socket.gethostname(), os.getpid(), status)
        return False


def loop(cache: Cache, name: str, registry: CollectorRegistry) -> Loop:
    """The status of process `name`, which counts in `registry`, as a loop of `pipeline.process`, once a second."""
    return Loop("status", Status(cache, name, registry).step, pause=1.0)


def _totals(registry: CollectorRegistry) -> dict[str, float]:
    """The counters of `/metrics`, each summed over its labels."""
    summed: dict[str, float] = {}
    for family in registry.collect():
        if family.type == "counter" and not family.name.startswith("python_"):
            values = [sample.value for sample in family.samples if sample.name.endswith("_total")]
            summed[f"{family.name}_total"] = sum(values)
    return summed
