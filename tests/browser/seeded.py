"""Lines whose totals are known, in a database as the pipeline would have left it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Final

from pipeline.models import Batch, DeadLetter, Progress, Stream
from pipeline.storage import Store
from tests.stores import Seen, put

ROUTES: Final = ("/", "/products/1", "/products/22", "/cart", "/checkout", "/users/7/orders", "/search?q=x", "/reports")
SLOWEST: Final = "/reports"
"""The route whose latencies are the greatest."""
WORST_ADDRESS: Final = "203.0.113.66"
"""The address with the most errors."""
HOSTILE: Final = (
    "/<script>alert(1)</script>",
    '/"><img/src=x/onerror=alert(2)>',
    "/\u202egnp.evil",
    "/\U0001f4a9/\u05e9\u05dc\u05d5\u05dd",
    "/" + "a" * 2_047,
)
"""Paths of those who would like to run something."""

_SPIKE = timedelta(hours=9)
REJECTED: Final = 3


def lines(now: datetime, seed: int = 8) -> list[Seen]:
    """Lines of the day before `now`, none of them within minutes of a range's beginning, so that time may pass.

    A quiet day: some hundreds in the last 10 minutes, in the rest of the hour, and in the rest of the day; a spike of
    errors nine hours ago.
    """
    rng = random.Random(seed)
    ages = [timedelta(seconds=rng.uniform(30, 600)) for _ in range(400)]
    ages += [timedelta(seconds=rng.uniform(25 * 60, 50 * 60)) for _ in range(500)]
    ages += [timedelta(seconds=rng.uniform(80 * 60, 20 * 3600)) for _ in range(1_100)]
    found = [_ordinary(rng, now - age) for age in ages]
    found += [
        Seen(now - _SPIKE + timedelta(seconds=n), WORST_ADDRESS, "POST", "/checkout", 503, 4_000 + n)
        for n in range(240)
    ]
    found += [
        Seen(now - timedelta(minutes=5, seconds=n), "198.51.100.9", "GET", path, 404, 7)
        for n, path in enumerate(HOSTILE)
    ]
    return found


def _ordinary(rng: random.Random, at: datetime) -> Seen:
    path = rng.choices(ROUTES, weights=(30, 20, 10, 8, 6, 5, 4, 3))[0]
    status = rng.choices((200, 301, 404, 500, 503), weights=(80, 5, 10, 3, 2))[0]
    latency = round(rng.lognormvariate(7.5 if path == SLOWEST else 3.5, 0.6))
    ip = f"192.0.2.{rng.randrange(40)}" if rng.random() < 0.9 else f"2001:db8::{rng.randrange(9) + 1:x}"
    return Seen(at, ip, rng.choices(("GET", "POST", "PUT"), weights=(8, 2, 1))[0], path, status, latency)


def seed(store: Store, now: datetime) -> list[Seen]:
    """Stores the lines, and returns them."""
    found = lines(now)
    put(store, found)
    kept = sum(line.kept for line in found)
    at = datetime.now(UTC).replace(tzinfo=None)

    def work() -> None:
        stream = Stream.insert(cluster_id="c", topic="raw-logs", topic_id="t", state="live").execute()
        Progress.insert(
            stream=stream, part=0, generation=0, next_plan=9, end_offset=9, seen_at=now + timedelta(days=1)
        ).execute()
        Batch.insert(
            stream=stream,
            part=0,
            generation=0,
            first=0,
            next=9,
            lines=len(found) + REJECTED,
            digest=b"0" * 16,
            state="done",
            oldest_at=at,
            planned_at=at - timedelta(minutes=2),
            dispatched_at=at,
            done_at=at,
            stored=kept,
            discarded=len(found) - kept,
            rejected=REJECTED,
        ).execute()
        for index, reason in enumerate(("time", "ip", "status")):
            DeadLetter.insert(
                stream=stream,
                part=0,
                offset=4,
                line_index=index,
                reason=reason,
                detail=f"expected something else, found '{HOSTILE[0]}'",
                payload=HOSTILE[index].encode(),
                created_at=at - timedelta(minutes=1),
            ).execute()

    store.write(work)
    return found
