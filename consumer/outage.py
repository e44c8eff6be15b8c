"""What a loop waits for, said once a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

import peewee
import structlog
from kafka.errors import KafkaError

from pipeline.errors import Fenced, TooSlow, Unavailable

log = structlog.get_logger(__name__)

# A database has more errors than anybody foresees; one that ended this process would end each that is started after it.
WAITED_FOR = (Fenced, Unavailable, TooSlow, KafkaError, peewee.PeeweeException)
# Seconds before the same is said again.
SAID_FOR = 60.0


class Outage:
    """Tells what keeps one loop from its work."""

    def __init__(self, event: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`event` is what the loop does about it."""
        self._event = event
        self._clock = clock
        self._told: dict[str, float] = {}

    def tell(self, error: Exception) -> None:
        """Says why a step failed, unless that was said within the last minute."""
        now = self._clock()
        self._told = {said: at for said, at in self._told.items() if now - at < SAID_FOR}
        kind = type(error).__name__
        if (said := f"{kind}: {error}") in self._told:
            return
        self._told[said] = now
        if isinstance(error, peewee.PeeweeException):
            log.error(self._event, error=str(error), kind=kind, exc_info=error)
        else:
            log.warning(self._event, error=str(error), kind=kind)
