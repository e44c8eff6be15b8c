"""The housekeeping actor: deletes what has served its time, in short transactions.

Two runs of a job at once do no harm: each chunk is one transaction, and what the other deleted is not there any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Final

import structlog
from peewee import Field, Value, fn

from pipeline import freshness
from pipeline.errors import Unavailable
from pipeline.freshness import present
from pipeline.models import (
    Batch,
    DeadLetter,
    LedgerMinute,
    LogBlock,
    LogEntry,
    RequestRollup,
    RouteDay,
    RouteRollup,
    UploadKey,
    VisitorRollup,
)
from pipeline.rollup import HOUR, KEPT, MINUTE
from pipeline.settings import Settings
from pipeline.storage import Store

log = structlog.get_logger(__name__)

# Rows a transaction, and seconds a run: statistics and batches wait for the same threads.
CHUNK: Final = 1000
PATIENCE: Final = 3.0

BATCHES_KEPT_SECONDS: Final = 48 * 3600
_ROLLUPS: Final[tuple[Any, ...]] = (RequestRollup, VisitorRollup, RouteRollup)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (naive UTC, as the database's times are)


def run(store: Store, given: Settings, job: str, clock: Callable[[], float] = time.monotonic) -> bool:
    """Runs the job of that name (of JOBS) for a few seconds at the most; returns whether more is left of it.

    Never raises: what fails is logged, and asked for again by the clock.
    """
    deadline = clock() + PATIENCE
    try:
        while JOBS[job](store, given):
            if clock() >= deadline:
                log.info("more is left", job=job)
                return True
    except Unavailable as error:
        log.warning("housekeeping failed", job=job, error=str(error))
    except Exception:
        log.exception("housekeeping failed", job=job)
    return False


def batches(store: Store, given: Settings) -> bool:  # noqa: ARG001 (a job's signature)
    """Adds a chunk of old batches, done or lost and below their partition's watermark, to the ledger; deletes them."""

    def work() -> bool:
        ids = [id for (id,) in _old_batches(store).limit(CHUNK).tuples()]
        query: Any = Batch.select().where(Batch.id.in_(ids), Batch.state != "pending").order_by(Batch.id)
        rows = list(query.for_update() if store.is_mysql else query)
        minutes: dict[datetime, list[int]] = {}
        for row in rows:
            sums = minutes.setdefault(row.planned_at.replace(second=0, microsecond=0), [0] * 6)
            lost = row.lines if row.state == "lost" else 0
            classes = (row.lines, row.stored, row.discarded, row.rejected, row.duplicate, lost)
            sums[:] = (known + more for known, more in zip(sums, classes, strict=True))
        if rows:
            model = LedgerMinute
            added = [model.received, model.stored, model.discarded, model.rejected, model.duplicate, model.lost]
            store.upsert(model, [(minute, *sums) for minute, sums in sorted(minutes.items())], add=added)
            Batch.delete().where(Batch.id.in_([row.id for row in rows])).execute()
        return len(ids) == CHUNK

    return store.write(work)


def _old_batches(store: Store) -> Any:
    """The ids of what may be pruned, the oldest first."""
    before, other = store.ago(BATCHES_KEPT_SECONDS), Batch.alias()
    holding_back = other.select(Value(1)).where(
        other.state == "pending", other.stream == Batch.stream, other.part == Batch.part, other.first < Batch.first
    )
    return (
        Batch.select(Batch.id)
        .where(
            Batch.planned_at < before,
            Batch.state != "pending",
            Batch.done_at.is_null() | (Batch.done_at < before),
            ~fn.EXISTS(holding_back),
        )
        .order_by(Batch.planned_at)
    )


def keys(store: Store, given: Settings) -> bool:
    """Deletes a chunk of upload keys from before the window: of now, and of the oldest record still to be counted."""
    oldest = store.read(lambda: freshness.counted_up_to(store))
    if oldest is None:
        return False
    before = oldest - timedelta(seconds=given.key_window)
    return _delete_chunk(store, UploadKey.identity, UploadKey.received, before)


def rollups(store: Store, given: Settings) -> bool:  # noqa: ARG001 (a job's signature)
    """Deletes a chunk of buckets that are older than `pipeline.rollup.KEPT`."""

    def work() -> bool:
        now = int((present(store) - _EPOCH).total_seconds())
        for model, level in product(_ROLLUPS, KEPT):
            old = (model.level == level) & (model.bucket < now - KEPT[level])
            query: Any = model.select(model.bucket).where(old).order_by(model.bucket).limit(CHUNK).tuples()
            if buckets := [bucket for (bucket,) in query]:
                model.delete().where(model.level == level, model.bucket <= buckets[-1]).execute()
                return True
        # Lines of a day that long ago would be admitted anew, and as many once more at the most.
        RouteDay.delete().where(RouteDay.day < now - KEPT[HOUR]).execute()
        return False

    return store.write(work)


def rows(store: Store, given: Settings) -> bool:
    """Deletes a chunk of log entries, and one of dead letters, that are older than RETENTION_DAYS.

    An entry whose batch is not pruned yet stays: who sends old lines finds them for two days at the least.
    """
    before = store.read(lambda: present(store)) - timedelta(days=given.retention_days)
    entries = store.write(lambda: _old_entries(before))
    letters = _delete_chunk(store, DeadLetter.id, DeadLetter.created_at, before)
    return entries or letters


def _old_entries(before: datetime) -> bool:
    """Deletes about a chunk of the entries of whole minutes before a time, and the blocks that this leaves empty."""
    oldest_batch = Batch.select(fn.MIN(Batch.id)).scalar()
    settled = () if oldest_batch is None else (LogEntry.batch < oldest_batch,)
    end = int((before - _EPOCH).total_seconds()) // MINUTE * MINUTE
    blocks: Any = LogBlock.select().where(LogBlock.minute < end).order_by(LogBlock.minute, LogBlock.block)
    deleted, seen = 0, 0
    while found := list(blocks.limit(CHUNK).offset(seen)):
        for block in found:
            seen += 1
            deleted += _delete_minute(block, settled)
            if deleted >= CHUNK:
                return True
    return False


def _delete_minute(block: LogBlock, settled: tuple[Any, ...]) -> int:
    """Deletes up to a chunk of a minute's entries in a block of ids, and the block's row with the last of them."""
    minute = _EPOCH + timedelta(seconds=block.minute)
    dated = (LogEntry.timestamp >= minute, LogEntry.timestamp < minute + timedelta(seconds=MINUTE))
    inside = LogEntry.select(LogEntry.id).where(LogEntry.id.between(block.first, block.last), *dated, *settled)
    ids = [id for (id,) in inside.limit(CHUNK).tuples()]
    # As many as there were: another run may have been quicker.
    gone = int(LogEntry.delete().where(LogEntry.id.in_(ids)).execute()) if ids else 0
    if gone:
        this = (LogBlock.minute == block.minute, LogBlock.block == block.block)
        LogBlock.update(entries=LogBlock.entries - gone).where(*this).execute()
        LogBlock.delete().where(*this, LogBlock.entries <= 0).execute()
    return gone


JOBS: Final[dict[str, Callable[[Store, Settings], bool]]] = {
    "batches": batches,
    "keys": keys,
    "rollups": rollups,
    "rows": rows,
}


def _delete_chunk(store: Store, key: Field, time_column: Any, before: datetime) -> bool:
    """Deletes a chunk of what is older, by key: MySQL then locks these rows and no gaps. Whether more may be left."""
    model = key.model
    old = model.select(key).where(time_column < before).order_by(time_column).limit(CHUNK)

    def work() -> bool:
        found = sorted(row[0] for row in old.tuples())
        if found:
            model.delete().where(key.in_(found)).execute()
        return len(found) == CHUNK

    return store.write(work)
