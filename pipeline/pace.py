"""So many uploads a second, each sent until it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog

from pipeline.sender import Sender, Upload
from pipeline.traffic import Traffic

log = structlog.get_logger(__name__)

_REPORT_SECONDS = 10.0
# Further behind than this, and what was missed is not made up for.
_BEHIND_SECONDS = 1.0


class Pace:
    """A step for a process's loop: makes an upload when one is due, and makes one attempt to send it."""

    def __init__(
        self,
        traffic: Traffic,
        sender: Sender,
        size: int,
        rate: float,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """`rate` is in uploads a second, `clock()` in seconds, `now()` in UTC."""
        self._traffic = traffic
        self._sender = sender
        self._size = size
        self._interval = 1 / rate
        self._clock = clock
        self._now = now
        self._due = self._report_at = clock()
        self._upload: Upload | None = None

    def step(self) -> bool:
        """Returns whether something was due."""
        now = self._clock()
        if now >= self._report_at + _REPORT_SECONDS:
            self.report()
            self._report_at = now
        if now < self._due:
            return False
        if self._upload is None:
            length = timedelta(seconds=min(self._interval, 1.0))
            self._upload = Upload.of(self._traffic.upload(self._size, self._now() - length, length))
        if pause := self._sender.attempt(self._upload):
            self._due = self._clock() + pause
            return True
        self._upload = None
        self._due = max(self._due + self._interval, self._clock() - _BEHIND_SECONDS)
        return True

    def report(self) -> None:
        """Logs what was sent so far."""
        log.info("sent", **asdict(self._sender.counts), unsure=self._upload.lines if self._upload else 0)
