"""What the receiver's worker process serves: the application and its clients."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette

from pipeline import checkpoint, logging, process, producer, settings, status
from pipeline.brokers import require_answer
from pipeline.cache import Cache
from pipeline.checkpoint import Checkpoint
from pipeline.keyring import Keyring
from receiver import openapi
from receiver.app import AsgiApp, compose
from receiver.budget import Budget
from receiver.metrics import Metrics
from receiver.partitioner import InSlices
from receiver.producers import Producers
from receiver.publisher import Publisher
from receiver.upload import Endpoint

# How many of the largest uploads may be in hand at once.
IN_HAND = 8
# Objects between two garbage collections. Python's own few hundred are fewer than a hundred uploads in hand have: it
# would look at these again and again, and find nothing, for no upload leaves a cycle behind.
COLLECTED = 10_000
START_SECONDS = 3.0
GRACE_SECONDS = 1.0


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
