"""How the pipeline is said to be, over databases in each of its states."""

from __future__ import annotations

import logging
import os
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import redis
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry, Counter, Gauge

from pipeline import status
from pipeline.cache import Cache
from pipeline.models import Batch, DeadLetter, Progress, Stream
from pipeline.storage import Store
from tests.servers import Backend


@pytest.fixture(autouse=True)
def _errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status remembers errors that are logged; not for longer than a test."""
    monkeypatch.setattr(logging.getLogger(), "handlers", list(logging.getLogger().handlers))


def batch(stream: int, first: int, state: str = "done", **more: Any) -> None:
    """A batch of ten lines, planned now."""
    now = datetime.now(UTC)
    told = {"stored": 6, "discarded": 4} if state == "done" else {}
    row = {
        "stream": stream,
        "part": 0,
        "generation": 0,
        "first": first,
        "next": first + 1,
        "lines": 10,
        "digest": b"0" * 16,
        "state": state,
        "oldest_at": now,
        "planned_at": now,
        "dispatched_at": now,
    }
    Batch.insert(**row | told | more).execute()


def stream(store: Store, behind: int = 0, mark: datetime | None = None, seen: datetime | None = None) -> int:
    """A topic of one partition, so many records of which are not planned."""

    def work() -> int:
        id = Stream.insert(cluster_id="c", topic="raw-logs", topic_id="t", state="live").execute()
        time = None if mark is None else round(mark.timestamp() * 1000)
        progress = {"stream": id, "part": 0, "generation": 0, "next_plan": 5, "end_offset": 5 + behind}
        Progress.insert(**progress, seen_at=seen or datetime.now(UTC), mark_time=time).execute()
        return int(id)

    return store.write(work)


def hop(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["hops"] if one["name"] == name)


def test_an_empty_pipeline_waits_for_nothing(api: FlaskClient) -> None:
    found = api.get("/pipeline/status").json
    assert (found["oldest_pending"], found["ledger"]["received"], found["processes"]) == (None, 0, [])
    assert [one["part"] for one in found["problems"]] == ["receiver", "consumer", "worker", "scheduler"]
    assert [one["state"] for one in found["hops"]] == ["down", "ok", "down", "unknown", "down", "ok"]


def test_it_says_what_waits_and_for_how_long(api: FlaskClient, store: Store) -> None:
    now = datetime.now(UTC)
    id = stream(store, behind=3, mark=now - timedelta(seconds=40))
    store.write(lambda: batch(id, 0))
    store.write(lambda: batch(id, 1, "pending", oldest_at=now - timedelta(seconds=90), attempts=2))
    store.write(lambda: batch(id, 2, "pending", oldest_at=now - timedelta(seconds=20)))
    found = api.get("/pipeline/status").json
    kafka, workers = hop(found, "kafka"), hop(found, "workers")
    assert (kafka["state"], kafka["waiting"], kafka["waiting_unit"]) == ("behind", 3, "records")
    assert 40 <= kafka["lag_seconds"] < 60
    assert (workers["waiting"], workers["lines_total"]) == (2, 10)
    assert 90 <= found["oldest_pending"].pop("seconds") < 110
    assert found["oldest_pending"] == {"lines": 10, "partition": 0, "attempts": 2}
    assert hop(found, "database")["lines_total"] == 6
    assert (found["ledger"]["pending"], found["ledger"]["balanced"]) == (20, True)


def test_what_was_lost_in_the_last_day_is_a_problem(api: FlaskClient, store: Store, clock: list[datetime]) -> None:
    clock[0] = datetime.now(UTC)
    id = stream(store)
    store.write(lambda: batch(id, 0, "lost"))
    store.write(lambda: batch(id, 1, "lost", planned_at=datetime.now(UTC) - timedelta(days=40)))
    problems = api.get("/pipeline/status").json["problems"]
    assert problems[0] == {"part": "ledger", "detail": "lost in the last day: 10 lines"}


def test_dead_letters_are_counted_by_reason(api: FlaskClient, store: Store) -> None:
    for reason in ("time", "time", "ip"):
        letter = {"stream": 1, "part": 0, "offset": 0, "reason": reason, "detail": "", "payload": b"x"}
        store.write(lambda row=letter: DeadLetter.insert(**row, created_at=datetime.now(UTC)).execute())  # type: ignore[misc]
    assert api.get("/pipeline/status").json["dead_letters"] == {"by_reason": {"time": 2, "ip": 1}, "total": 3}


def test_processes_say_what_they_count_and_how_fast(api: FlaskClient, cache: Cache) -> None:
    registry, time = CollectorRegistry(), [0.0]
    lines = Counter("pipeline_lines_planned", "Lines.", registry=registry)
    Gauge("dramatiq_messages_waiting", "Messages.", registry=registry).set(4)
    said = status.Status(cache, "consumer", registry, lambda: time[0])
    for second in range(100):
        time[0] = float(second)
        lines.inc(50 if second > 60 else 10)
        said.step()
    found = api.get("/pipeline/status").json
    (one,) = found["processes"]
    assert (one["name"], one["host"], one["pid"], one["alive"]) == ("consumer", socket.gethostname(), os.getpid(), True)
    assert one["counters"] == {"pipeline_lines_planned_total": 61 * 10 + 39 * 50}
    # Of the last 60 seconds 39 had 50 lines, and 21 had 10.
    assert one["per_second"] == {"pipeline_lines_planned_total": 36.0}
    assert (hop(found, "consumer")["lines_per_second"], hop(found, "queue")["waiting"]) == (36.0, 4)


def test_who_fell_silent_is_told_as_such_until_forgotten(api: FlaskClient, cache: Cache, backend: Backend) -> None:
    said = status.Status(cache, "worker", CollectorRegistry())
    said.step()
    with redis.Redis.from_url(backend.cache_url) as client:
        (key,) = client.keys("process:worker:*")
        client.expire(key, 3)
        found = api.get("/pipeline/status").json
        assert found["processes"][0]["alive"] is False
        assert hop(found, "workers")["state"] == "down"
        for junk in (b"", b"[]", b"{", b'{"name":"worker"}', msgspec.json.encode({"name": "other"})):
            client.set("process:worker:h:1", junk)
            client.set("process:worker", junk)
            assert len(api.get("/pipeline/status").json["processes"]) == 1


def test_of_a_name_that_fell_silent_the_last_is_told_with_its_error(api: FlaskClient, cache: Cache) -> None:
    said = {"name": "worker", "started_at": "", "counters": {}, "per_second": {}, "gauges": {}}
    for pid in (1, 2):
        error = {"at": "2026-03-03T12:00:00Z", "error": f"{pid} broke"}
        cache.keep_status("worker", "h", pid, {**said, "last_error": error})
    for pid, left in ((1, 3_000_000), (2, 3_580_000)):
        cache._client.pexpire(f"process:worker:h:{pid}", left)
    (one,) = api.get("/pipeline/status").json["processes"]
    assert (one["pid"], one["alive"], one["last_error"]["error"]) == (2, False, "2 broke")
    cache.keep_status("worker", "h", 3, {**said, "last_error": None})
    assert [one["pid"] for one in api.get("/pipeline/status").json["processes"]] == [3]


def test_kafka_that_nobody_saw_lately_is_down_where_a_consumer_runs(
    api: FlaskClient, cache: Cache, store: Store
) -> None:
    stream(store, seen=datetime.now(UTC) - timedelta(seconds=30))
    assert hop(api.get("/pipeline/status").json, "kafka")["state"] == "ok"
    status.Status(cache, "consumer", CollectorRegistry()).step()
    found = api.get("/pipeline/status").json
    assert hop(found, "kafka")["state"] == "down"
    assert any(one["part"] == "kafka" and "no consumer could look" in one["detail"] for one in found["problems"])


def test_without_the_cache_it_says_what_the_database_knows(api: FlaskClient, store: Store, backend: Backend) -> None:
    id = stream(store)
    store.write(lambda: batch(id, 0))
    backend.servers["cache"].freeze()
    found = api.get("/pipeline/status").json
    assert found["processes"] is None
    assert [one["part"] for one in found["problems"]] == ["cache"]
    assert found["ledger"]["received"] == 10
