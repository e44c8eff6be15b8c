"""The clock: APScheduler, told to do nothing but put messages on a queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from dramatiq.brokers.redis import RedisBroker
from prometheus_client import Counter

from pipeline import messages
from pipeline.errors import Unavailable
from scheduler.jobs import Job

log = structlog.get_logger(__name__)

# With so many messages waiting nobody works on them, and more would only fill Redis.
ENOUGH = 50


class Clock:
    """Sends each job's message when it is due, beginning at once. What fails is logged, and due again later.

    Jobs run one after the other on the clock's own thread, which ends with the process: a Redis that does not answer
    delays them, and never the end.
    """

    def __init__(self, broker: RedisBroker, sent: Counter) -> None:
        """`sent` has a label, `job`."""
        self._broker = broker
        self._sent = sent
        # However late: one run stands for all that were missed.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(
            executors={"default": DebugExecutor()}, job_defaults=defaults, timezone=UTC, daemon=True
        )

    def start(self, jobs: Sequence[Job]) -> None:
        """Begins with one run of each, all at once."""
        now = datetime.now(UTC)
        for job in jobs:
            first = now + timedelta(seconds=job.offset)
            self._scheduler.add_job(self.send, "date", (job,), run_date=now)
            self._scheduler.add_job(self.send, "interval", (job,), seconds=job.seconds, start_date=first)
        self._scheduler.start()

    def send(self, job: Job) -> None:
        """Sends a job's message, unless enough are waiting. Never raises."""
        try:
            if messages.waiting(self._broker, messages.STATS) >= ENOUGH:
                log.warning("not sent: nobody works on what was sent before", job=job.name)
                return
            messages.enqueue(self._broker, job.message())
            self._sent.labels(job.name).inc()
        except Unavailable as error:
            log.warning("not sent", job=job.name, error=str(error))
        except Exception:
            log.exception("not sent", job=job.name)

    def stop(self) -> None:
        """Sends nothing more, but for a job that is at it."""
        self._scheduler.pause()
