"""A client that is unsure sends again: with its key an upload counts once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.integration.pipeline import CLASSES, Pipeline
from tests.records import line

DAY = datetime.now(UTC) - timedelta(days=14)


def lines(name: str) -> list[str]:
    """Seven lines under a path of their own: four to be stored, two to be discarded, one to be rejected."""
    time = f"{DAY:%Y-%m-%dT%H:%M:%SZ}"
    return [
        line(status, f"/retries/{name}/{i}", time=time) for i, status in enumerate((404, 200, 500, 301, 200, 503))
    ] + [f"{name} is no line"]


def rows(pipeline: Pipeline, name: str) -> int:
    """How many rows an upload's lines have."""
    total: int = pipeline.get("/logs", path=f"/retries/{name}/").json["meta"]["total"]
    return total


def added(pipeline: Pipeline, before: dict[str, int]) -> dict[str, int]:
    """What the ledger says more than before, once everything is settled."""
    after = pipeline.settle()
    return {name: after[name] - before[name] for name in ("received", *CLASSES) if after[name] != before[name]}


def test_an_upload_that_is_sent_three_times_with_one_key_counts_once(pipeline: Pipeline) -> None:
    before, key = pipeline.settle(), str(uuid4())
    for _ in range(3):
        reply = pipeline.upload(lines("thrice"), key)
        assert (reply.status, reply.json["accepted"], reply.json["rejected"]) == (202, 6, 1)
    assert added(pipeline, before) == {"received": 21, "stored": 4, "discarded": 2, "rejected": 1, "duplicate": 14}
    assert rows(pipeline, "thrice") == 4
    # Long after, it is a duplicate still.
    assert pipeline.upload(lines("thrice"), key).status == 202
    assert added(pipeline, before) == {"received": 28, "stored": 4, "discarded": 2, "rejected": 1, "duplicate": 21}
    assert rows(pipeline, "thrice") == 4
    assert pipeline.query("SELECT COUNT(*) FROM dead_letter WHERE INSTR(detail, 'thrice') > 0") == [(1,)]


def test_an_upload_that_is_sent_eight_times_at_once_counts_once(pipeline: Pipeline) -> None:
    before, key = pipeline.settle(), str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: pipeline.upload(lines("at-once"), key).status, range(8)))
    assert replies == [202] * 8
    assert added(pipeline, before) == {"received": 56, "stored": 4, "discarded": 2, "rejected": 1, "duplicate": 49}
    assert rows(pipeline, "at-once") == 4


def test_a_key_that_comes_with_another_body_is_another_upload(pipeline: Pipeline) -> None:
    before, key = pipeline.settle(), str(uuid4())
    for name in ("this", "that", "this"):
        assert pipeline.upload(lines(name), key).status == 202
    assert added(pipeline, before) == {"received": 21, "stored": 8, "discarded": 4, "rejected": 2, "duplicate": 7}
    assert (rows(pipeline, "this"), rows(pipeline, "that")) == (4, 4)


def test_without_a_key_every_upload_counts(pipeline: Pipeline) -> None:
    before = pipeline.settle()
    for _ in range(2):
        assert pipeline.upload(lines("keyless")).status == 202
    assert added(pipeline, before) == {"received": 14, "stored": 8, "discarded": 4, "rejected": 2}


def test_the_ledger_of_a_range_of_minutes_is_part_of_the_whole(pipeline: Pipeline) -> None:
    whole = pipeline.settle()
    now = datetime.now(UTC)
    early, late = now - timedelta(hours=1), now + timedelta(minutes=5)
    until_now = pipeline.get("/ledger", from_=f"{early:%Y-%m-%dT%H:%M:%SZ}", to=f"{late:%Y-%m-%dT%H:%M:%SZ}").json
    assert {name: until_now[name] for name in CLASSES} == {name: whole[name] for name in CLASSES}
    later = pipeline.get("/ledger", from_=f"{late:%Y-%m-%dT%H:%M:%SZ}").json
    assert [later[name] for name in ("received", *CLASSES)] == [0] * 7
