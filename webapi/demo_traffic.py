"""A minute of what the generator sends, for who looks at a page without a line and wants to see one move."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Final
from urllib.parse import urlsplit

from werkzeug.exceptions import ServiceUnavailable

from pipeline.pace import Pace
from pipeline.sender import Sender
from pipeline.settings import Settings
from pipeline.traffic import Traffic

SECONDS: Final = 60.0
# Uploads a second, lines an upload: enough to see, and 6,000 lines in all.
RATE: Final = 5.0
SIZE: Final = 20
_PAUSE: Final = 0.02

Demo = Callable[[], float]
"""Begins the traffic, unless it goes on; returns for how many seconds it does. Raises ServiceUnavailable."""


class DemoTraffic:
    """Sends to the receiver from a thread that ends with the process; never twice at a time."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError for a TARGET_API_URL that is none."""
        self._sender = Sender(settings.target_api_url, settings.api_key)
        self._traffic = Traffic(Random(), settings.client_error_freq, settings.server_error_freq)
        self._host = urlsplit(settings.target_api_url).netloc.rpartition("@")[2]
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None
        self._end = 0.0

    def begin(self) -> float:
        """A `Demo`. The first upload is sent here, so that whoever asks hears of what keeps it from being counted."""
        with self._beginning:
            if self._thread is None or not self._thread.is_alive():
                pace = Pace(self._traffic, self._sender, SIZE, RATE, time.monotonic, lambda: datetime.now(UTC))
                pace.step()
                if self._sender.problem is not None:
                    self._sender.close()
                    raise ServiceUnavailable(
                        f"the receiver at {self._host} did not take it: {self._sender.problem}"
                        " (TARGET_API_URL and API_KEY say where it is sent, and with which key)"
                    )
                self._end = time.monotonic() + SECONDS
                self._thread = threading.Thread(target=self._go_on, args=(pace,), name="demo-traffic", daemon=True)
                self._thread.start()
            return max(0.0, self._end - time.monotonic())

    def _go_on(self, pace: Pace) -> None:
        while time.monotonic() < self._end:
            if not pace.step():
                time.sleep(_PAUSE)
        pace.report()
        self._sender.close()
