"""Granian, as the processes that serve HTTP run it: one worker process, which imports and builds the application."""

from __future__ import annotations

from typing import Any

from granian import Granian
from granian.constants import HTTPModes


def serve(target: str, host: str, port: int, **options: Any) -> int:
    """Serves what the function `target` (`module:name`) builds until SIGTERM or SIGINT; returns the exit code.

    `options` are Granian's own, for what the processes have not in common.
    """
    server = Granian(
        target,
        factory=True,
        address=host,
        port=port,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        log_access=False,
        # What it says goes to our log.
        log_dictconfig={"handlers": {}, "loggers": {"_granian": {}, "granian.access": {}}},
        **options,
    )
    try:
        server.serve()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
