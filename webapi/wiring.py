"""What the web API's worker process serves: the application and its clients."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask

from pipeline import api_keys, logging, process, settings, status
from pipeline.cache import Cache
from pipeline.keyring import Keyring
from pipeline.storage import Store
from webapi.app import compose
from webapi.dashboard import Setup
from webapi.demo_traffic import DemoTraffic
from webapi.metrics import Metrics
from webapi.resend import resending
from webapi.streams import Streams

# Seconds that a query may take: the budgets of what reads rows are well below.
QUERY_SECONDS = 5.0


def build_app() -> Flask:
    """The application, with its clients; nothing is connected yet. Raises ConfigurationError."""
    loaded = settings.load()
    logging.configure("webapi", loaded.log_level)
    metrics = Metrics()
    cache = Cache.open(loaded.cache_url)
    process.end_with_parent()
    process.background(status.loop(cache, "webapi", metrics.registry))
    store = Store.open(loaded.database_url, QUERY_SECONDS)
    keyring = Keyring() if loaded.require_api_keys else None
    if keyring is not None:
        process.background(api_keys.keeping(store, keyring))
    streams = Streams()
    _on_stop(streams.stop)
    setup = Setup(
        receiver_port=loaded.receiver_port, discard_status=loaded.discard_status, demo_traffic=loaded.demo_traffic
    )
    return compose(
        store,
        cache,
        metrics,
        lambda: datetime.now(UTC),
        streams,
        loaded.cors_origins,
        keyring,
        setup,
        resending(store, loaded),
        DemoTraffic(loaded).begin if loaded.demo_traffic else None,
    )


def _on_stop(stop: Callable[[], None]) -> None:
    """Calls `stop` in a thread of its own at SIGTERM and SIGINT: the server has handlers, and they wait for streams."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)

    def listen() -> None:
        while os.read(heard, 1)[0] not in (signal.SIGTERM, signal.SIGINT):
            pass
        stop()

    threading.Thread(target=listen, name="stop", daemon=True).start()
