"""The receiver's entry: `main` runs the server, whose worker process builds what it serves (`receiver.wiring`)."""

from __future__ import annotations

from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from pipeline import exposure, logging, process, settings, web_server
from pipeline.cache import Cache
from pipeline.port import require_free

# Clients can wait, and lines that nobody gets to drain only pile up: with twice the load that can be drained, this
# drains a quarter more, and lines are seen after half the time.
NICE = 3


def main() -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code. Raises ConfigurationError."""
    loaded = settings.load()
    logging.configure("receiver", loaded.log_level)
    exposure.require_intended(loaded, loaded.receiver_host)
    require_free(loaded.receiver_host, loaded.receiver_port, "RECEIVER_PORT")
    # What the worker process could not be built of: found here, it has an exit code of its own.
    Cache.open(loaded.cache_url)
    if loaded.require_api_keys:
        # Here and not above: without keys a receiver has no database, and needs no client's megabytes.
        from pipeline.storage import Store

        Store.open(loaded.database_url)
    process.give_way(NICE)
    return web_server.serve(
        "receiver.wiring:build_app",
        loaded.receiver_host,
        loaded.receiver_port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        # Past the longest wait for Kafka, and early enough to be gone 5 s after SIGTERM.
        workers_kill_timeout=3,
        log_level=LogLevels.warning,
    )
