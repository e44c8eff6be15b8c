"""The web API's entry: `main` runs the server, whose worker process builds what it serves (`webapi.wiring`)."""

from __future__ import annotations

from granian.constants import Interfaces
from granian.log import LogLevels

from pipeline import exposure, logging, settings, web_server
from pipeline.cache import Cache
from pipeline.port import require_free
from pipeline.storage import Store

# Requests at once, those of `streams` among them; each may hold a connection to the database.
THREADS = 20


def main() -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code. Raises ConfigurationError."""
    loaded = settings.load()
    logging.configure("webapi", loaded.log_level)
    exposure.require_intended(loaded, loaded.webapi_host)
    require_free(loaded.webapi_host, loaded.webapi_port, "WEBAPI_PORT")
    # What the worker process could not be built of: found here, it has an exit code of its own.
    Store.open(loaded.database_url)
    Cache.open(loaded.cache_url)
    if loaded.demo_traffic:
        # Here and not above: without the button nobody here sends anything.
        from webapi.demo_traffic import DemoTraffic

        DemoTraffic(loaded)
    return web_server.serve(
        "webapi.wiring:build_app",
        loaded.webapi_host,
        loaded.webapi_port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        workers_kill_timeout=4,
        log_level=LogLevels.error,
    )
