"""The contract's statistics over HTTP, beside a recount of every line that was sent."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.child import wait_until
from pipeline.statistic import KINDS, RANGES, SCOPES
from tests.integration.pipeline import PATIENCE, Pipeline
from tests.records import line
from tests.stores import Seen, agree, floor, recount

# Ages in seconds, some minutes off the ranges' ends: a test takes time, and time moves what lies there.
AGES = ((1, 9 * 60), (25 * 60, 50 * 60), (70 * 60, 23 * 3600), (25 * 3600, 160 * 3600), (176 * 3600, 200 * 3600))


def lines(rng: random.Random, count: int, now: datetime) -> list[Seen]:
    """Lines dated just now, minutes, hours, days, and more than a week back."""
    found = []
    for _ in range(count):
        at = now - timedelta(seconds=rng.randint(*rng.choice(AGES)), microseconds=rng.randrange(10**6))
        ip = f"10.{rng.randrange(4)}.{rng.randrange(4)}.{rng.randrange(30)}"
        status = rng.choice((200, 200, 301, 404, 404, 500, 503))
        found.append(Seen(at, ip, rng.choice(("GET", "POST", "BREW")), "/stats", status, rng.randrange(5000)))
    return found


def send(pipeline: Pipeline, seen: Iterable[Seen], uploads: int) -> None:
    """Sends lines in so many uploads, and waits until all are counted."""
    texts = [
        line(one.status, one.path, one.ip, f"{one.at:%Y-%m-%dT%H:%M:%S.%f}Z", one.method, one.latency_ms)
        for one in seen
    ]
    for number in range(uploads):
        assert pipeline.upload(texts[number::uploads]).status == 202
    pipeline.settle()


def differences(pipeline: Pipeline, seen: list[Seen]) -> dict[tuple[str, str, str], Any]:
    """The answers that are not what a recount over their own window says: (answered, recounted)."""
    found = {}
    for kind, range_name, scope in itertools.product(KINDS, RANGES, SCOPES):
        answer = pipeline.get("/stats", type=kind, range=range_name, scope=scope).json
        window = {end: datetime.fromisoformat(at) for end, at in answer["meta"]["window"].items()}
        assert abs(datetime.now(UTC) - window["to"]) < timedelta(minutes=5)
        start = window["to"] - RANGES[range_name]
        assert window["from"] == (floor(start, 60) if scope == "all" else start)
        exact = recount(seen, kind, start, window["to"], scope, window["to"])
        answered = dict(answer["data"])
        answered.pop("previous", None)
        error = answer["meta"].get("estimated", {}).get("unique_ips")
        if error and abs(answered["unique_ips"] - exact["unique_ips"]) <= 4 * error * exact["unique_ips"] + 1:
            answered["unique_ips"] = exact["unique_ips"]
        try:
            assert answer["type"] == kind
            agree(answered, exact)
        except AssertionError:
            found[kind, range_name, scope] = (answer["data"], exact)
    return found


def test_every_statistic_equals_a_recount_of_what_was_sent_early_and_late(pipeline: Pipeline) -> None:
    rng, now = random.Random(5), datetime.now(UTC)

    # Given lines of all ages, of which each range holds another part,
    seen = [*lines(rng, 600, now), Seen(now, "2001:db8::5", "GET", "/stats", 500, 3)]
    send(pipeline, seen, uploads=7)
    held = [len([one for one in seen if now - one.at <= length]) for length in RANGES.values()]
    assert 0 < held[0] < held[1] < held[2] < held[3] < len(seen)

    # all answers equal the recount;
    pipeline.forget_statistics()
    assert differences(pipeline, seen) == {}

    # and so they do when lines of the same minutes, hours and days come later, in one upload with others.
    late = [one._replace(latency_ms=one.latency_ms % 5000 + 1) for one in seen[::3]] + lines(rng, 100, now)
    send(pipeline, late, uploads=2)
    pipeline.forget_statistics()
    assert differences(pipeline, seen + late) == {}

    # Nobody has to ask: the scheduler sees to it that what is cached is recent, one statistic after the other.
    latest = datetime.now(UTC)
    hour = list(itertools.product(KINDS, SCOPES))
    assert wait_until(lambda: any(refreshed(pipeline, *one) > latest for one in hour), PATIENCE, 0.5)
    assert differences(pipeline, seen + late) == {}


def refreshed(pipeline: Pipeline, kind: str, scope: str) -> datetime:
    """When the hour's statistic that is cached was computed; long ago where this very question computed it."""
    reply = pipeline.get("/stats", type=kind, range="hour", scope=scope)
    if reply.headers["x-cache"] != "hit":
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromisoformat(reply.json["meta"]["computed_at"])


def test_an_answer_has_the_contracts_keys_and_says_whether_it_was_cached(pipeline: Pipeline) -> None:
    pipeline.forget_statistics()
    first, second = pipeline.get("/stats"), pipeline.get("/stats")
    assert second.headers["x-cache"] == "hit"
    assert int(second.headers["age"]) < 60
    assert first.json["type"] == second.json["type"] == "errors"
    assert set(pipeline.get("/stats", type="latency").json["data"]) >= {"avg_latency", "max_latency"}
    assert set(pipeline.get("/stats", type="traffic").json["data"]) == {"total_request", "unique_ips"}
