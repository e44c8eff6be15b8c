"""Granian, as the processes that serve HTTP run it: one worker process, which imports and builds the application."""

from __future__ import annotations

import gc
import resource
from typing import Any, Final

from granian import Granian
from granian.constants import HTTPModes
from granian.http import HTTP1Settings

from pipeline import process

# At once; one more waits until another ends.
CONNECTIONS: Final = 4096
# A connection that says nothing whole for so long, a request's head or the next request, ends.
HEAD_SECONDS: Final = 10
# Of a connection what is not taken yet, a head among it.
BUFFER_BYTES: Final = 128 * 1024
# Files and connections of the process's own.
_OWN_FILES: Final = 256


def serve(target: str, host: str, port: int, **options: Any) -> int:
    """Serves what the function `target` (`module:name`) builds until SIGTERM or SIGINT; returns the exit code.

    The worker process alone imports the module of `target`: of what the parent imports as well, both come to hold most
    pages. `options` are Granian's own, for what the processes have not in common.
    """
    server = Granian(
        target,
        factory=True,
        address=host,
        port=port,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        backpressure=_connections(),
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=BUFFER_BYTES),
        log_access=False,
        # What it says goes to our log.
        log_dictconfig={"handlers": {}, "loggers": {"_granian": {}, "granian.access": {}}},
        **options,
    )
    process.give_back()
    # What is there by now, the worker process shares, and garbage collection would write to all of it: 8 MB more.
    gc.freeze()
    try:
        server.serve()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _connections() -> int:
    """How many connections there may be at once; raises the limit of open files as far as that needs and is allowed."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < (wanted := CONNECTIONS + _OWN_FILES):
        files = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return min(CONNECTIONS, max(files - _OWN_FILES, 1))
