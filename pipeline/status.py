"""What a process says of itself, in the cache, once a second: its counters, how fast they rise, and its last error."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from prometheus_client import CollectorRegistry

from pipeline.cache import Cache
from pipeline.errors import Unavailable
from pipeline.moment import rfc3339
from pipeline.process import Loop

# Steps, one a second, over which it is told how fast a counter rises.
_STEPS: Final = 60


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

    def __init__(
        self, cache: Cache, name: str, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begins to remember errors now."""
        self._clock = clock
        self._seen: deque[tuple[float, dict[str, float]]] = deque(maxlen=_STEPS + 1)
        self._cache = cache
        self._name = name
        self._registry = registry
        self._errors = LastError()
        self._started = rfc3339(datetime.now(UTC))
        logging.getLogger().addHandler(self._errors)

    def step(self) -> bool:
        """Never raises for a cache that is away: the next second comes."""
        counters = _summed(self._registry, "counter")
        status: dict[str, Any] = {
            "name": self._name,
            "at": rfc3339(datetime.now(UTC)),
            "started_at": self._started,
            "counters": counters,
            "per_second": self._rates(counters),
            "gauges": _summed(self._registry, "gauge"),
            "last_error": self._errors.last,
        }
        with suppress(Unavailable):
            self._cache.keep_status(self._name, socket.gethostname(), os.getpid(), status)
        return False

    def _rates(self, counters: dict[str, float]) -> dict[str, float]:
        """How much each counter rose a second, over the last minute at most; nothing at the first step."""
        now = self._clock()
        self._seen.append((now, counters))
        then, before = self._seen[0]
        if now <= then:
            return {}
        return {name: round((value - before.get(name, 0)) / (now - then), 3) for name, value in counters.items()}


def loop(cache: Cache, name: str, registry: CollectorRegistry) -> Loop:
    """The status of process `name`, which counts in `registry`, as a loop of `pipeline.process`, once a second."""
    return Loop("status", Status(cache, name, registry).step, pause=1.0)


def _summed(registry: CollectorRegistry, kind: str) -> dict[str, float]:
    """The counters or the gauges of `/metrics`, each summed over its labels."""
    summed: dict[str, float] = {}
    for family in registry.collect():
        if family.type == kind and not family.name.startswith("python_"):
            values = [sample.value for sample in family.samples if not sample.name.endswith("_created")]
            summed[f"{family.name}_total" if kind == "counter" else family.name] = sum(values)
    return summed
