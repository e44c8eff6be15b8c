"""The generator: a client of the receiver like any other, with made-up lines."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from random import Random

from pipeline import logging, process, settings
from pipeline.errors import ConfigurationError
from pipeline.pace import Pace
from pipeline.process import Loop
from pipeline.sender import Sender
from pipeline.traffic import Traffic


def main() -> int:
    """Sends until it is told to stop; returns the exit code. Raises ConfigurationError."""
    given = settings.load()
    logging.configure("generator", given.log_level)
    if given.client_error_freq + given.server_error_freq > 1:
        raise ConfigurationError("CLIENT_ERROR_FREQ and SERVER_ERROR_FREQ: together they must not be more than 1")
    traffic = Traffic(Random(given.seed), given.client_error_freq, given.server_error_freq)
    sender = Sender(given.target_api_url, given.api_key)
    pace = Pace(traffic, sender, given.qty_in_batch, given.rps, time.monotonic, lambda: datetime.now(UTC))

    def close() -> None:
        pace.report()
        sender.close()

    return process.run("generator", [Loop("pace", pace.step, pause=min(0.02, 0.25 / given.rps))], close)
