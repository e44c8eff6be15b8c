"""The receiver's entry: `main` runs the server, which loads `build_app` in its worker process."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from starlette.applications import Starlette

from pipeline import checkpoint, exposure, logging, process, producer, settings, status, web_server
from pipeline.brokers import require_answer
from pipeline.cache import Cache
from pipeline.checkpoint import Checkpoint
from pipeline.keyring import Keyring
from pipeline.port import require_free
from receiver import openapi
from receiver.app import AsgiApp, compose
from receiver.budget import Budget
from receiver.metrics import Metrics
from receiver.partitioner import InSlices
from receiver.producers import Producers
from receiver.publisher import Publisher
from receiver.upload import Endpoint

log = structlog.get_logger(__name__)

# How many of the largest uploads may be in hand at once.
IN_HAND = 8
# Clients can wait, and lines that nobody gets to drain only pile up: with twice the load that can be drained, this
# drains a quarter more, and lines are seen after half the time.
NICE = 3
# Objects between two garbage collections. Python's own few hundred are fewer than a hundred uploads in hand have: it
# would look at these again and again, and find nothing, for no upload leaves a cycle behind.
COLLECTED = 10_000
START_SECONDS = 3.0
GRACE_SECONDS = 1.0


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
        "receiver.main:build_app",
        loaded.receiver_host,
        loaded.receiver_port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        # Past the longest wait for Kafka, and early enough to be gone 5 s after SIGTERM.
        workers_kill_timeout=3,
        log_level=LogLevels.warning,
    )


def build_app() -> AsgiApp:
    """The application, with clients that are built when its lifespan begins."""
    loaded = settings.load()
    logging.configure("receiver", loaded.log_level)
    process.end_with_parent()
    gc.set_threshold(COLLECTED)
    budget = Budget(IN_HAND * loaded.max_body_bytes)
    metrics = Metrics(budget)
    process.background(status.loop(Cache.open(loaded.cache_url), "receiver", metrics.registry))
    producers = Producers(lambda: producer.build(loaded, InSlices()), producer.abandon, producer.is_astray)
    checks = {"kafka": _kafka_check(producers, loaded)}
    keyring = Keyring() if loaded.require_api_keys else None
    keeping = None
    if keyring is not None:
        from pipeline import api_keys
        from pipeline.storage import Store

        keeping = api_keys.keeping(Store.open(loaded.database_url), keyring)
        process.background(keeping)
        checks["api_keys"] = keyring.require_known
    endpoint: list[Endpoint] = []

    async def upload(scope: Any, receive: Any, send: Any) -> None:
        await endpoint[0](scope, receive, send)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        publisher = publisher_of(producers, loaded, checkpoint.from_environment(), loop)
        now, limits = partial(datetime.now, UTC), (loaded.max_body_bytes, loaded.max_lines)
        endpoint.append(Endpoint(publisher.publish, budget, metrics, now, *limits, keyring, loop))
        producers.start()
        await asyncio.to_thread(producers.first.wait, START_SECONDS)
        yield
        await asyncio.to_thread(producers.close)
        if keeping is not None:
            await asyncio.to_thread(keeping.step)

    document = openapi.document(loaded.max_body_bytes, loaded.max_lines, keys=keyring is not None)
    return compose(upload, checks, metrics.registry, lifespan, document)


def publisher_of(
    producers: Producers, loaded: settings.Settings, checkpoint: Checkpoint, loop: asyncio.AbstractEventLoop
) -> Publisher:
    """The publisher to the topic that the settings name."""
    deadline = producer.DELIVERY_SECONDS + GRACE_SECONDS
    limits = loaded.max_body_bytes, loaded.max_lines
    return Publisher(producers, loaded.kafka_topic, deadline, *limits, checkpoint, loop)


def _kafka_check(producers: Producers, loaded: settings.Settings) -> Callable[[], None]:
    def check() -> None:
        require_answer(loaded.kafka_bootstrap_servers)
        producers.current()

    return check
