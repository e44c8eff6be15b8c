"""From Kafka's thread to the event loop: what became of each record, many at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

Outcome = object
"""A record's metadata, or the exception that it ended with."""


class Acknowledgements:
    """Wakes the loop once for all outcomes that have come together: a wake-up each costs more than the upload."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._outcomes: deque[tuple[Sequence[asyncio.Future[Outcome]], Outcome]] = deque()
        self._woken = False

    def settle(self, waiters: Sequence[asyncio.Future[Outcome]], outcome: Outcome) -> None:
        """Gives all who wait for a record its outcome, soon; called from any thread."""
        self._outcomes.append((waiters, outcome))
        if not self._woken:
            self._woken = True
            # The loop has ended where nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # In this order: what comes after it wakes the loop again, what came before it is taken here.
        self._woken = False
        while self._outcomes:
            waiters, outcome = self._outcomes.popleft()
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(outcome)
