"""Servers that go and come back under load: said while they are away, and nothing acknowledged lost."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import pytest

from cli.child import wait_until
from tests.faults.load import Journal, load, more
from tests.faults.supervised import supervised
from tests.integration.pipeline import PATIENCE, PROCESSES, Pipeline

Require = Callable[[], None]


def names_it(pipeline: Pipeline, dependency: str, *names: str) -> bool:
    """Whether each of these processes soon says that the dependency is away, and that it does not answer for itself."""
    return all(
        wait_until(lambda name=name: dependency in pipeline.checks(name).get(dependency, "ok"), PATIENCE)  # type: ignore[misc]
        for name in names
    )


def answers(pipeline: Pipeline) -> bool:
    """Whether the web API answers what it is asked for most."""
    try:
        return pipeline.get("/logs").status == pipeline.get("/stats").status == 200
    except (OSError, http.client.HTTPException):
        return False


def test_redis_killed_is_named_and_survived(pipeline: Pipeline, journal: Journal, require_exact: Require) -> None:
    with load(pipeline, journal, "redis"), supervised(pipeline):
        assert more(journal, 5)
        # On embedded servers the two are one.
        for name in ("redis", "cache"):
            pipeline.backend.servers[name].kill()
        assert names_it(pipeline, "redis", "consumer", "worker", "scheduler")
        assert names_it(pipeline, "cache", "webapi")
        # Uploads are taken, and questions answered, without either.
        assert more(journal, 5)
        assert answers(pipeline)
        assert pipeline.answers("webapi")
        pipeline.backend.mend()
        pipeline.require_ready()
        assert more(journal, 5)
    require_exact()


@pytest.mark.real_only
def test_the_database_killed_is_named_and_survived(
    pipeline: Pipeline, journal: Journal, require_exact: Require
) -> None:
    with load(pipeline, journal, "database"), supervised(pipeline):
        assert more(journal, 5)
        pipeline.backend.servers["database"].kill()
        assert names_it(pipeline, "database", "consumer", "worker", "webapi")
        reply = pipeline.get("/logs")
        assert (reply.status, reply.headers["content-type"]) == (503, "application/problem+json")
        assert "database" in reply.json["detail"]
        # Uploads are taken without it.
        assert more(journal, 5)
        pipeline.backend.mend()
        pipeline.require_ready()
    require_exact()


@pytest.mark.real_only
def test_kafka_restarted_is_named_and_survived(pipeline: Pipeline, journal: Journal, require_exact: Require) -> None:
    with load(pipeline, journal, "kafka"), supervised(pipeline):
        assert more(journal, 5)
        pipeline.backend.servers["kafka"].stop()
        assert names_it(pipeline, "kafka", "receiver", "consumer")
        reply = pipeline.ask("receiver", "/upload", b'["this is no line"]')
        assert reply.status == 422
        assert answers(pipeline)
        pipeline.backend.mend()
        pipeline.require_ready()
        assert more(journal, 5)
    assert journal.statuses[503] > 0
    require_exact()


def test_every_process_has_metrics_and_says_that_it_lives(pipeline: Pipeline) -> None:
    for name in PROCESSES:
        metrics = pipeline.ask(name, "/metrics")
        assert metrics.status == 200
        assert metrics.headers["content-type"].startswith("text/plain")
        assert b"\nprocess_resident_memory_bytes " in metrics.body, name
        assert pipeline.answers(name, "/healthz")
    assert b"\npipeline_lines_received_total " in pipeline.ask("receiver", "/metrics").body
    assert b"\npipeline_batches_planned_total " in pipeline.ask("consumer", "/metrics").body
    assert b"\npipeline_lines_stored_total " in pipeline.ask("worker", "/metrics").body
    assert b"\nscheduler_messages_total{" in pipeline.ask("scheduler", "/metrics").body
    assert b"\nwebapi_requests_total{" in pipeline.ask("webapi", "/metrics").body
