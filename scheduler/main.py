"""The scheduler: a clock. The work is the workers', and two schedulers by mistake only ask twice."""

from __future__ import annotations

from logging import WARNING, getLogger

from prometheus_client import CollectorRegistry, Counter, ProcessCollector

from pipeline import admin, exposure, logging, messages, process, settings, status
from pipeline.cache import Cache
from scheduler.clock import Clock
from scheduler.jobs import jobs


def main() -> int:
    """Runs the clock until it is told to stop; returns the exit code."""
    given = settings.load()
    logging.configure("scheduler", given.log_level)
    exposure.require_intended(given, given.admin_host)
    getLogger("apscheduler").setLevel(WARNING)  # It tells of every job twice.
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    sent = Counter("scheduler_messages", "Messages sent to the workers, by job.", ["job"], registry=registry)

    broker = messages.build_broker(given.redis_url)
    cache = Cache.open(given.cache_url)
    checks = {"redis": lambda: messages.check(broker)}
    pages = admin.serve(given.admin_host, given.scheduler_admin_port, "SCHEDULER_ADMIN_PORT", checks, registry)
    clock = Clock(broker, sent)
    clock.start(jobs())

    def close() -> None:
        clock.stop()
        pages.close()
        broker.close()
        cache.close()

    return process.run("scheduler", [status.loop(cache, "scheduler", registry)], close)
