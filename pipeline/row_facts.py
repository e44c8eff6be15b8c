"""Facts from stored rows: what those of a scan come to, and how much of a window that was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from peewee import SQL, Expression, MySQLDatabase, fn

from pipeline import histogram
from pipeline.entries import Piece, Scan
from pipeline.facts import Asked, Coverage, Facts, Key, add
from pipeline.models import LogEntry

_COLUMNS: Final = {
    "status": LogEntry.status,
    "class": LogEntry.status,
    "method": LogEntry.method,
    "route": LogEntry.route,
    "path": LogEntry.path,
    "ip": LogEntry.ip,
}


def scanned(asked: Asked, condition: Expression, pieces: Iterable[Piece]) -> dict[Key, Facts]:
    """What the rows of a scan's pieces that meet a condition come to, by key. Within a transaction of `Store.read`."""
    groups: dict[Key, Facts] = {}
    key = [_column(part, asked.step) for part in asked.by]
    if asked.among:
        condition &= key[0].in_(asked.among)
    for piece in pieces:
        if asked.latencies:
            counted = LogEntry.select(*key, LogEntry.latency_ms, fn.COUNT(LogEntry.id))
            rows = counted.where(piece.holds(), condition).group_by(*key, LogEntry.latency_ms).tuples()
            add(groups, _spread(asked, rows))
            continue
        sums = (fn.COUNT(LogEntry.id), fn.SUM(LogEntry.latency_ms), fn.MAX(LogEntry.latency_ms))
        summed: Any = LogEntry.select(*key, *sums).where(piece.holds(), condition)
        for row in (summed.group_by(*key) if key else summed).tuples():
            if row[-3]:
                add(groups, {asked.key(row[:-3]): Facts(*row[-3:])})
    return groups


def coverage(scan: Scan, there: float) -> Coverage:
    """What a scan covers, of whose rows this share is still there."""
    share = scan.share * there
    if share == 1:
        return Coverage("rows", "stored", True)
    return Coverage("rows", "stored", False, min(round(share, 4), 0.9999))


def _spread(asked: Asked, rows: Iterable[Sequence[Any]]) -> dict[Key, Facts]:
    """Facts by key, of rows that are a key, a latency, and how often it was seen there."""
    seen: dict[Key, list[tuple[int, int]]] = {}
    for row in rows:
        seen.setdefault(asked.key(row[:-2]), []).append((row[-2], row[-1]))
    latencies, times = np.array([pair for found in seen.values() for pair in found], dtype=np.int64).reshape(-1, 2).T
    blobs = histogram.spread(latencies, times, [len(found) for found in seen.values()])
    return {
        at: Facts(
            sum(count for _, count in found),
            sum(latency * count for latency, count in found),
            max(latency for latency, _ in found),
            (blob,),
        )
        for (at, found), blob in zip(seen.items(), blobs, strict=True)
    }


def _column(part: str, step: int) -> Any:
    if part != "time":
        return _COLUMNS[part]
    is_mysql = isinstance(LogEntry._meta.database, MySQLDatabase)
    # SQLite rounds to milliseconds, and the last of a minute would belong to the next.
    text = "CAST(strftime('%s', substr(timestamp, 1, 19)) AS INT)"
    seconds = SQL("TIMESTAMPDIFF(SECOND, '1970-01-01', timestamp)" if is_mysql else text)
    return seconds - fn.MOD(seconds, step)  # (`%` is LIKE to Peewee)
