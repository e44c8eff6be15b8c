"""Up to when everything that was received is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline import freshness
from pipeline.models import Batch, Progress, Stream
from pipeline.storage import Store

NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
SECOND = timedelta(seconds=1)


def stream(store: Store, state: str = "live") -> int:
    """A topic."""
    row = {"cluster_id": "c", "topic": "t", "topic_id": f"{state}-{store.read(Stream.select().count)}", "state": state}
    return int(store.write(lambda: Stream.insert(row).execute()))


def progress(store: Store, stream: int, part: int, seen: datetime, mark: datetime | None, behind: int = 0) -> None:
    """A partition of which `behind` records are to be planned, seen last at a time."""
    row = {"stream": stream, "part": part, "generation": 0, "next_plan": 10, "end_offset": 10 + behind, "seen_at": seen}
    row["mark_time"] = None if mark is None else int(mark.replace(tzinfo=UTC).timestamp() * 1000)
    store.write(lambda: Progress.insert(row).execute())


def batch(store: Store, stream: int, first: int, state: str, oldest: datetime) -> None:
    """A planned batch."""
    row: dict[str, Any] = {"stream": stream, "part": 0, "generation": 0, "first": first, "next": first + 1, "lines": 1}
    row |= {"digest": bytes(16), "state": state, "oldest_at": oldest, "planned_at": NOW, "dispatched_at": NOW}
    store.write(lambda: Batch.insert(row).execute())


def counted(store: Store) -> datetime | None:
    """Up to when all is counted."""
    return store.read(lambda: freshness.counted_up_to(store))


def test_where_nothing_waits_it_is_the_present(store: Store) -> None:
    found = counted(store)
    assert found is not None
    assert abs(found - datetime.now(UTC).replace(tzinfo=None)) < 5 * SECOND


def test_a_partition_that_is_read_to_its_end_is_known_up_to_when_it_was_seen(store: Store) -> None:
    live = stream(store)
    progress(store, live, 0, NOW - 3 * SECOND, NOW - 500 * SECOND)
    progress(store, live, 1, NOW - 7 * SECOND, None)
    assert counted(store) == NOW - 7 * SECOND


def test_a_partition_with_more_to_plan_is_known_up_to_its_mark(store: Store) -> None:
    live = stream(store)
    progress(store, live, 0, NOW, NOW - 90 * SECOND, behind=5)
    progress(store, live, 1, NOW, NOW)
    assert counted(store) == NOW - 90 * SECOND


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (1_750_000_000_000_000, None),
        (2**63 - 1, None),
        (-1, datetime(1970, 1, 1)),  # noqa: DTZ001 (naive UTC, as the database's times are)
        (-(2**63), datetime(1970, 1, 1)),  # noqa: DTZ001 (the same)
    ],
)
def test_a_record_s_time_may_be_any_number(store: Store, said: int, known: datetime | None) -> None:
    """In microseconds it lies beyond every year: then the present is all that can be said."""
    progress(store, stream(store), 0, NOW, NOW, behind=5)
    store.write(lambda: Progress.update(mark_time=said).execute())
    found = counted(store)
    assert found is not None
    assert found == known or (known is None and abs(found - NOW) < timedelta(minutes=30))


def test_where_not_one_record_was_read_nothing_is_known(store: Store) -> None:
    live = stream(store)
    progress(store, live, 0, NOW, None, behind=5)
    progress(store, live, 1, NOW, NOW)
    assert counted(store) is None


def test_a_pending_batch_is_known_up_to_its_first_record_and_one_that_is_done_holds_nothing_back(store: Store) -> None:
    live = stream(store)
    progress(store, live, 0, NOW, NOW)
    batch(store, live, 1, "done", NOW - 900 * SECOND)
    batch(store, live, 2, "lost", NOW - 800 * SECOND)
    assert counted(store) == NOW
    batch(store, live, 3, "pending", NOW - 60 * SECOND + timedelta(microseconds=1))
    batch(store, live, 4, "pending", NOW - 50 * SECOND)
    assert counted(store) == NOW - 60 * SECOND + timedelta(microseconds=1)


def test_a_topic_that_is_gone_holds_nothing_back(store: Store) -> None:
    progress(store, stream(store, "gone"), 0, NOW - 9000 * SECOND, None, behind=5)
    progress(store, stream(store), 0, NOW - SECOND, None)
    assert counted(store) == NOW - SECOND


def test_a_consumer_whose_clock_is_ahead_does_not_promise_the_future(store: Store) -> None:
    progress(store, stream(store), 0, NOW + timedelta(hours=1), None)
    found = counted(store)
    assert found is not None
    assert found < NOW + timedelta(minutes=30)
