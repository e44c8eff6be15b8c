"""Whether the poll loop still comes round: one that hangs is to be seen, and then to be started again."""

from __future__ import annotations

import os
from collections.abc import Callable

import structlog

from pipeline.errors import TallyError

log = structlog.get_logger(__name__)

# Seconds without a beat after which it is said, and after which the process ends. The longest that MySQL or Kafka may
# rightly keep the loop waiting is a transaction that is tried three times, for 30 s each: an outage ends nothing.
LATE, DEAD = 30, 120


class Pulse:
    """Beats of a loop, counted against seconds in which this process ran: who was frozen has missed nothing."""

    def __init__(self, end: Callable[[int], object] = os._exit) -> None:
        """`end` is given the exit code; it waits for no thread, as the one that hangs may hold anything."""
        self._end = end
        self._silent = 0

    def beat(self) -> None:
        """The loop goes on."""
        self._silent = 0

    def step(self) -> bool:
        """To be called once a second, on a thread of its own: ends the process after too many without a beat."""
        self._silent += 1
        if self._silent >= DEAD:
            log.error("the poll loop hangs; ending the consumer", seconds=self._silent)
            self._end(1)
        return False

    def check(self) -> None:
        """Raises TallyError where the loop is late."""
        if self._silent >= LATE:
            raise TallyError(f"the poll loop has not come round for {self._silent} s")
