"""The topic as others see it: what they put there is counted, and what we put there they can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kafka import KafkaProducer

from tests.integration.pipeline import CLASSES, Pipeline
from tests.receiver import wire
from tests.records import line

DAY = datetime.now(UTC) - timedelta(days=16)
TIME = f"{DAY:%Y-%m-%dT%H:%M:%SZ}"

Headers = list[tuple[str, bytes]]


@pytest.fixture
def producer(pipeline: Pipeline) -> Iterator[Any]:
    """Another client's producer: it knows a broker, and nothing of ours."""
    with closing(KafkaProducer(bootstrap_servers=pipeline.environment["KAFKA_BOOTSTRAP_SERVERS"])) as producer:
        yield producer


def put(pipeline: Pipeline, producer: Any, lines: int, value: bytes | None, headers: Headers | None = None) -> None:
    """Puts a record into the topic that is to count for so many lines."""
    producer.send(pipeline.topic, value, headers=headers, key=b"any" if value is None else None).get(20)
    pipeline.expected += lines


def added(pipeline: Pipeline, before: dict[str, int]) -> dict[str, int]:
    """What the ledger says more than before, once everything is settled."""
    after = pipeline.settle()
    return {name: after[name] - before[name] for name in ("received", *CLASSES) if after[name] != before[name]}


def paths(pipeline: Pipeline, path: str) -> list[str]:
    """The paths of the rows that have `path` in theirs, the newest first."""
    return [row["Path"] for row in pipeline.get("/logs", path=path, limit=1000).json["data"]]


def test_a_bare_record_of_another_client_is_processed_like_ours(pipeline: Pipeline, producer: Any) -> None:
    before = pipeline.settle()
    lines = [line(status, f"/bare/{status}", time=TIME) for status in (404, 200, 500)]
    put(pipeline, producer, 4, json.dumps([*lines, "bad"], indent=1).encode())
    assert added(pipeline, before) == {"received": 4, "stored": 2, "discarded": 1, "rejected": 1}
    assert paths(pipeline, "/bare/") == ["/bare/500", "/bare/404"]


def test_records_that_are_no_uploads_are_dead_letters_and_those_after_them_are_read(
    pipeline: Pipeline, producer: Any
) -> None:
    before = pipeline.settle()
    good = line(404, "/lying/x", time=TIME)
    records: list[tuple[int, str | None, bytes | None, Headers]] = [
        (1, "not_an_array", b"this is not JSON", []),
        (1, "not_an_array", b'{"an": "object"}', []),
        (1, "not_an_array", b'"a string"', []),
        (1, "not_an_array", b'["cut sh', []),
        (1, "not_an_array", b"\xff\xfe\x00", []),
        (1, "not_an_array", b"", []),
        (1, "not_an_array", b"[" * 5000, []),
        (0, None, None, []),
        (0, None, b"[]", []),
        (2, "not_text", b'[1, {"a": ["b"]}]', []),
        (7, "lines_header", json.dumps([good, "seven are said"]).encode(), [("lines", b"7")]),
        (1, "lines_header", json.dumps([good, "one is said"]).encode(), [("lines", b"1")]),
        (1, "not_an_array", b"null", [("lines", b"1"), ("format", b"lines"), ("key", b"")]),
    ]
    for lines, _, value, headers in records:
        put(pipeline, producer, lines, value, headers)
    # A header that makes no sense is no header.
    sane = json.dumps([line(404, "/lying/after", time=TIME)]).encode()
    for header in (b"many", b"", b"-1", b"999999999999"):
        put(pipeline, producer, 1, sane, [("lines", header), ("received", b"yesterday"), ("format", b"?")])

    rejected = sum(lines for lines, *_ in records)
    assert added(pipeline, before) == {"received": rejected + 4, "stored": 4, "rejected": rejected}
    assert paths(pipeline, "/lying/") == ["/lying/after"] * 4
    letters = [(row[0], bytes(row[1])) for row in pipeline.query("SELECT reason, payload FROM dead_letter")]
    for _, reason, value, _ in records:
        if reason == "not_text":
            assert {(reason, b"1"), (reason, b'{"a":["b"]}')} <= set(letters)
        elif reason:
            assert letters.count((reason, value or b"")) == 1, value


def test_another_client_finds_the_uploads_body_verbatim_with_the_designed_headers(pipeline: Pipeline) -> None:
    valid = (line(404, "/verbatim", time=TIME), line(200, "/sp\\u00e4ti", time=TIME))
    body = f' [ "{valid[0]}",\n"\\u0062ad" ,\t"{valid[1]}"]'.encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "verbatim", "X-Request-ID": "seen-by-all"}
    reply = pipeline.ask("receiver", "/upload", body, headers)
    assert (reply.status, reply.json["accepted"], reply.json["rejected"]) == (202, 2, 1)
    pipeline.expected += 3
    (found,) = (one for one in wire.records(pipeline.backend, pipeline.topic) if b"/verbatim" in (one.value or b""))
    assert found.value == body
    said = dict(found.headers)
    received = datetime.fromisoformat(said.pop("received").decode())
    assert abs(datetime.now(UTC) - received) < timedelta(minutes=5)
    assert said == {"format": b"lines", "lines": b"3", "key": b"verbatim", "request": b"seen-by-all"}
    pipeline.settle()
