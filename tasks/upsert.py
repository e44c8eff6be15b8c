"""Merges a batch's rollups into those that stand."""

from __future__ import annotations

from typing import Any

from pipeline import visitors
from pipeline.models import RequestRollup, VisitorRollup
from pipeline.storage import Store
from tasks.aggregate import Rollups

# Rows a statement; SQLite binds at most 32,766 parameters.
CHUNK = 1_000


def upsert(store: Store, rollups: Rollups) -> None:
    """Adds the counts and merges the sketches, in key order, inside a transaction; last in it, as the rows are hot."""
    for start in range(0, len(rollups.requests), CHUNK):
        _add(store, rollups.requests[start : start + CHUNK])
    for start in range(0, len(rollups.visitors), CHUNK):
        _merge(store, rollups.visitors[start : start + CHUNK])


def _add(store: Store, rows: list[tuple[Any, ...]]) -> None:
    model = RequestRollup
    store.upsert(model, rows, add=[model.requests, model.latency_sum], maximum=[model.latency_max])


def _merge(store: Store, deltas: list[tuple[int, int, int, bytes]]) -> None:
    """Makes the missing sketches empty, reads all for update in key order, writes back the unions."""
    model = VisitorRollup
    keys = [(level, bucket, kept) for level, bucket, kept, _ in deltas]
    store.insert(model, [(*key, visitors.EMPTY) for key in keys], ignore=True)
    standing = _for_update(store, keys)
    merged = [(*key, _union(standing[key], delta[-1])) for key, delta in zip(keys, deltas, strict=True)]
    store.upsert(model, merged, replace=[model.sketch])


def _union(standing: bytes, delta: bytes) -> bytes:
    # Most of a batch whose lines are old have a bucket to themselves, and a merge costs a register set.
    return delta if standing == visitors.EMPTY else visitors.merge((standing, delta))


def _for_update(store: Store, keys: list[tuple[int, int, int]]) -> dict[tuple[int, int, int], bytes]:
    buckets: dict[tuple[int, int], list[int]] = {}
    for level, bucket, kept in keys:
        buckets.setdefault((level, kept), []).append(bucket)
    wanted = " OR ".join(
        f"(level = {level} AND kept = {kept} AND bucket IN ({', '.join(map(str, starts))}))"
        for (level, kept), starts in buckets.items()
    )
    query = f"SELECT level, bucket, kept, sketch FROM rollup_visitors WHERE {wanted} ORDER BY level, bucket, kept"
    rows = store.execute(query + (" FOR UPDATE" if store.is_mysql else "")).fetchall()
    return {(level, bucket, kept): bytes(sketch) for level, bucket, kept, sketch in rows}
