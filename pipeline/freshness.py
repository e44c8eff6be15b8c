"""Up to when everything that was received is counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from peewee import fn

from pipeline.models import Batch, Progress, Stream
from pipeline.moment import of_record, rfc3339
from pipeline.storage import Store


def counted_up_to(store: Store) -> datetime | None:
    """Kafka had no record before this time (naive UTC) that is still to be counted; None where that is not known.

    Within a transaction.
    """
    query: Any = (
        Progress.select(Progress.end_offset > Progress.next_plan, Progress.mark_time, Progress.seen_at)
        .join(Stream, on=(Stream.id == Progress.stream))
        .where(Stream.state == "live")
        .tuples()
    )
    oldest = []
    for behind, mark, seen_at in query:
        if behind and mark is None:
            return None
        # A consumer that is away sees no new records: those since it last looked may wait as well.
        oldest.append(of_record(mark).replace(tzinfo=None) if behind else seen_at)
    pending = Batch.select(fn.MIN(Batch.oldest_at)).where(Batch.state == "pending").scalar()
    if pending is not None:
        oldest.append(pending if isinstance(pending, datetime) else datetime.fromisoformat(pending))
    return min([*oldest, present(store)])


def told(counted: datetime | None, now: datetime) -> dict[str, Any]:
    """What every answer of `now` (UTC) says of it: up to when, and how many seconds ago that was."""
    if counted is None:
        return {"data_to": None, "lag_seconds": None}
    lag = (now.replace(tzinfo=None) - counted).total_seconds()
    return {"data_to": rfc3339(counted), "lag_seconds": max(0.0, round(lag, 3))}


def present(store: Store) -> datetime:
    """The protocol's present, naive UTC. Within a transaction."""
    if store.is_mysql:
        now: datetime = store.execute("SELECT UTC_TIMESTAMP(6)").fetchone()[0]
        return now
    return datetime.now(UTC).replace(tzinfo=None)
