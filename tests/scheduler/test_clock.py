"""The clock asks for everything, in time, and survives a Redis that is away."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from prometheus_client import CollectorRegistry, Counter
from structlog.testing import capture_logs

from cli.child import wait_until
from pipeline import messages
from pipeline.cache import KEPT_SECONDS
from pipeline.statistic import KINDS, SCOPES
from scheduler.clock import ENOUGH, Clock
from scheduler.jobs import Job, jobs
from tasks.housekeeping import JOBS
from tests.conftest import Launch
from tests.servers import Backend

AWAY = "redis://127.0.0.1:1/0"


@contextmanager
def queue(url: str) -> Iterator[RedisBroker]:
    """A broker whose database is empty."""
    broker = messages.build_broker(url)
    broker.client.flushdb()
    yield broker
    broker.client.flushdb()
    broker.close()


def sent() -> Counter:
    """A counter of its own."""
    return Counter("sent", "", ["job"], registry=CollectorRegistry())


def waiting(broker: RedisBroker) -> list[Any]:
    """The messages of the statistics' queue."""
    bodies = broker.client.hvals(f"{broker.namespace}:{messages.STATS}.msgs")
    return [dramatiq.Message.decode(body) for body in bodies]


def test_every_statistic_and_every_job_is_asked_for() -> None:
    asked = [job.message() for job in jobs()]
    warmed = {(m.kwargs["kind"], m.kwargs["range_name"], m.kwargs["scope"]) for m in asked if m.actor_name == "warm"}
    assert warmed == {(kind, name, scope) for kind in KINDS for name in KEPT_SECONDS for scope in SCOPES}
    assert {m.kwargs["job"] for m in asked if m.actor_name == "housekeeping"} == set(JOBS)


def test_statistics_are_warmed_well_before_they_go_cold() -> None:
    seconds = {job.name: job.seconds for job in jobs()}
    for range_name, kept in KEPT_SECONDS.items():
        assert seconds[f"warm {range_name}"] * 2 <= kept


def test_warm_ups_are_spread_over_their_time() -> None:
    for name, seconds in {(job.name, job.seconds) for job in jobs() if job.name.startswith("warm")}:
        offsets = sorted(job.offset for job in jobs() if job.name == name)
        gaps = {round(later - earlier, 6) for earlier, later in pairwise(offsets)}
        assert gaps == {seconds / len(offsets)}
        assert 0 < offsets[0] < offsets[-1] <= seconds


def test_it_begins_at_once_and_goes_on(backend: Backend) -> None:
    with queue(backend.redis_url) as broker:
        clock = Clock(broker, sent())
        clock.start([Job("often", 1, lambda: messages.housekeeping("rows")), *jobs()])
        assert wait_until(lambda: len(waiting(broker)) >= 30, 5)
        clock.stop()
        found = Tally(message.actor_name for message in waiting(broker))
        assert found["warm"] == 24
        assert found["housekeeping"] >= 6


def test_a_redis_that_is_away_is_said_and_the_next_job_comes() -> None:
    clock = Clock(messages.build_broker(AWAY), sent())
    with capture_logs() as logs:
        for job in jobs():
            clock.send(job)
    assert [entry["job"] for entry in logs if entry["event"] == "not sent"] == [job.name for job in jobs()]


def test_a_job_that_fails_does_not_stop_the_next(backend: Backend) -> None:
    def broken() -> Any:
        raise RuntimeError("broken")

    with queue(backend.redis_url) as broker, capture_logs():
        clock = Clock(broker, sent())
        clock.start([Job("broken", 1, broken), Job("sound", 1, lambda: messages.housekeeping("rows"))])
        assert wait_until(lambda: len(waiting(broker)) >= 2, 5)
        clock.stop()


def test_nothing_piles_up_where_nobody_works(backend: Backend) -> None:
    with queue(backend.redis_url) as broker, capture_logs():
        clock = Clock(broker, sent())
        for _ in range(30):
            for job in jobs():
                clock.send(job)
        assert ENOUGH <= len(waiting(broker)) < ENOUGH + 6


@pytest.mark.parametrize("url", [None, AWAY])
def test_the_process_lives_with_or_without_redis_until_it_is_told_to_stop(
    backend: Backend, launch: Launch, url: str | None
) -> None:
    environment = backend.environment(**({"REDIS_URL": url, "CACHE_URL": url} if url else {}))
    child = launch("scheduler", environment)
    assert child.log is not None
    log = child.log
    assert wait_until(lambda: '"event": "started"' in log.read_text(), 20)
    if url:
        assert wait_until(lambda: "redis is not available" in log.read_text(), 5)
    else:
        broker = messages.build_broker(environment["REDIS_URL"])
        assert wait_until(lambda: len(waiting(broker)) >= 22, 5)
        broker.close()
    child.terminate()
    assert child.wait(5) == 0
