"""The workers: Dramatiq calls `start` in each process, and finds the actors on the broker that it makes."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

import dramatiq
import msgspec
from dramatiq.brokers.redis import RedisBroker

from pipeline import admin, checkpoint, exposure, filter, logging, messages, process, settings, status
from pipeline.batch import Range
from pipeline.cache import Cache
from pipeline.kafka import RangeReader
from pipeline.process import Loop
from pipeline.routes import Routes
from pipeline.settings import MIB, Settings
from pipeline.storage import Store
from tasks import housekeeping, trial, warm
from tasks.admission import Admission
from tasks.ingest import Ingest
from tasks.metrics import Metrics
from tasks.templates import Templates
from tasks.watch import Watch

# Dramatiq's: the lower is served first. A statistic waits for the batch in hand at most.
FIRST, LAST = 0, 10


def start() -> None:
    """Builds a worker process: its clients, its actors and its admin pages."""
    given = settings.load()
    logging.configure("worker", given.log_level)
    # A column of a batch has up to 750 KiB: to have each mapped anew was a tenth of its work. (Receivers and consumers,
    # whose uploads may be as large, would have 30 MB more.)
    process.give_back(large=MIB)
    exposure.require_intended(given, given.admin_host)
    metrics = Metrics()
    store = Store.open(given.database_url)
    cache = Cache.open(given.cache_url)
    broker = messages.build_broker(given.redis_url)
    ingest = Ingest(
        store,
        given.kafka_topic,
        PerThread(given).read,
        lambda order: messages.enqueue(broker, messages.ingest(order)),
        filter.discarded(given.discard_status),
        Templates(Routes.of(given.routes)),
        Admission(store, given.max_routes),
        metrics,
        trial.survived,
        checkpoint.from_environment(),
    )
    broker.add_middleware(Watch())
    declare_actors(broker, given, store, cache, ingest)
    dramatiq.set_broker(broker)
    checks = {"database": store.check, "redis": lambda: messages.check(broker)}
    admin.serve(given.admin_host, given.worker_admin_port, "WORKER_ADMIN_PORT", checks, metrics.registry)
    _beat(status.loop(cache, "worker", metrics.registry))


def declare_actors(broker: RedisBroker, given: Settings, store: Store, cache: Cache, ingest: Ingest) -> None:
    """Gives the broker the three actors that `pipeline.messages` writes to."""

    def act_ingest(batch: dict[str, Any], again: bool) -> None:
        ingest(msgspec.convert(batch, Range), again)

    def act_warm(kind: str, range_name: str, scope: str) -> None:
        warm.warm(store, cache, kind, range_name, scope, datetime.now(UTC).replace(tzinfo=None))

    def act_housekeeping(job: str) -> None:
        if housekeeping.run(store, given, job):
            messages.enqueue(broker, messages.housekeeping(job))

    dramatiq.Actor(
        act_ingest, broker=broker, actor_name="ingest", queue_name=messages.INGEST, priority=LAST, options={}
    )
    for name, act in (("warm", act_warm), ("housekeeping", act_housekeeping)):
        dramatiq.Actor(act, broker=broker, actor_name=name, queue_name=messages.STATS, priority=FIRST, options={})


class PerThread:
    """A range reader for each of Dramatiq's threads, made when it first reads."""

    def __init__(self, given: Settings) -> None:
        self._given = given
        self._local = threading.local()

    def read(self, part: int, first: int, after: int) -> Any:
        """As `RangeReader.read`; a reader that failed is closed, and the next read makes another."""
        reader: RangeReader = getattr(self._local, "reader", None) or RangeReader(self._given)
        self._local.reader = None
        try:
            records = reader.read(part, first, after)
        except Exception:
            reader.close()
            raise
        self._local.reader = reader
        return records


def _beat(loop: Loop) -> None:
    def beat() -> None:
        while True:
            loop.step()
            time.sleep(loop.pause)

    threading.Thread(target=beat, name=loop.name, daemon=True).start()
