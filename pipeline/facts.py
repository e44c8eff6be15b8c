"""What is known of the requests of a window: counts and latencies, from rollups where they can tell, else from rows.

A rollup tells of whole buckets; what a window of stored lines has before and after them is counted from rows. A
question that no rollup knows (an address, part of a path, a status together with a route) is answered from stored
rows alone, the newest first, within a time budget; `Coverage` says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from peewee import SQL, Expression, MySQLDatabase, fn

from pipeline import histogram
from pipeline.cover import Span
from pipeline.cut import cut, reaches, retained, within
from pipeline.entries import Scan, among, matching, one_of, route_ids
from pipeline.models import LogEntry, RequestRollup, RouteRollup
from pipeline.rollup import (
    METHODS,
    MINUTE,
    OTHER_METHOD,
    REQUEST_LEVELS,
    ROUTE_LEVELS,
)
from pipeline.selection import Selection
from pipeline.window import Window

# Seconds that reading rows may take, where rollups cannot tell.
BUDGET: Final = 1.0
_CLASSES: Final = {number: frozenset(range(100 * number, 100 * number + 100)) for number in range(1, 6)}


class Facts(NamedTuple):
    """Requests, their latencies' sum and maximum in ms and, where they were asked for, how latencies are spread.

    `latencies` are histograms (`pipeline.histogram`) that are not merged yet: of most groups nobody wants to know.
    """

    requests: int = 0
    latency_sum: int = 0
    latency_max: int = 0
    latencies: tuple[bytes, ...] = ()

    def __add__(self, other: object) -> Facts:
        """Of both together: associative and commutative."""
        if not isinstance(other, Facts):
            return NotImplemented
        return together((self, other))


def together(found: Iterable[Facts]) -> Facts:
    """The sum of facts."""
    every = tuple(found)
    return Facts(
        sum(one.requests for one in every),
        sum(one.latency_sum for one in every),
        max((one.latency_max for one in every), default=0),
        tuple(chain.from_iterable(one.latencies for one in every)),
    )


class Coverage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer is made of: `lines` is all or stored; of what it is about it saw a `share` (0 to 1)."""

    source: str  # rollups, rows, or "rollups and rows"
    lines: str
    complete: bool
    share: float = 1.0


class Asked(NamedTuple):
    """A question: `by` names the parts of a group's key, of `time status class method route path ip`.

    A key's `time` is the start (seconds since the epoch) of its bucket of `step` seconds, its `route` an id. With
    `among`, only groups whose key begins with one of these values are told.
    """

    window: Window
    selection: Selection
    scope: str
    by: tuple[str, ...] = ()
    latencies: bool = False
    step: int = MINUTE
    among: tuple[Any, ...] = ()
    budget: float = BUDGET


class Found(NamedTuple):
    """The answer: facts by key, the window that they are of, and what they cover."""

    groups: dict[tuple[Any, ...], Facts]
    window: Window
    coverage: Coverage
    rounded: int  # seconds to which the window's edges were widened, 0 where they were not

    @property
    def total(self) -> Facts:
        """All groups together."""
        return together(self.groups.values())


class _Source(NamedTuple):
    """A rollup, the columns that it can tell apart, and its levels."""

    model: Any
    columns: dict[str, Any]
    levels: tuple[int, ...]


_REQUESTS: Final = _Source(
    RequestRollup,
    {"status": RequestRollup.status, "class": RequestRollup.status, "method": RequestRollup.method},
    REQUEST_LEVELS,
)
_ROUTES: Final = _Source(RouteRollup, {"class": RouteRollup.status_class, "route": RouteRollup.route}, ROUTE_LEVELS)


def read(asked: Asked, now: float, clock: Callable[[], float] = time.monotonic) -> Found:
    """Answers a question, as of `now` (seconds since the epoch). Within a transaction of `Store.read`."""
    source = _source(asked)
    if source is None:
        return _from_rows(asked, now, clock)
    levels: Sequence[int] = source.levels
    window = asked.window
    if in_time := "time" in asked.by:
        window = window.widened(asked.step, asked.step)
        levels = [level for level in levels if asked.step % level == 0 and reaches(level, now, window.start)]
        if not levels:
            return _from_rows(asked, now, clock)
    of_rollups = cut(window, levels, now, asked.scope == "stored" and not in_time, clock)
    groups: dict[tuple[Any, ...], Facts] = {}
    if of_rollups.spans:
        _add(groups, _from_rollup(source, asked, of_rollups.spans))
    for edge, scan in of_rollups.edges:
        _add(groups, _rows(asked, matching(asked.selection, edge), scan))
    kind = "rollups and rows" if of_rollups.edges else "rollups"
    rounded = asked.step if window != asked.window else of_rollups.rounded
    return Found(groups, of_rollups.window, Coverage(kind, asked.scope, True), rounded)


def is_in_rollups(asked: Asked) -> bool:
    """Whether a rollup can tell what is asked."""
    return _source(asked) is not None


def _source(asked: Asked) -> _Source | None:
    """The rollup that can answer, None where only rows can."""
    selection = asked.selection
    if selection.ip or selection.path or selection.min_latency is not None or selection.max_latency is not None:
        return None
    needed = {*asked.by} - {"time"}
    if selection.status is not None:
        needed.add("class" if _whole_classes(selection.status) is not None else "status")
    if selection.method is not None:
        if not set(selection.method.values) <= {*METHODS}:
            return None  # counted as `other`, together with the rest
        needed.add("method")
    if selection.route is not None:
        needed.add("route")
    for source in (_REQUESTS, _ROUTES):
        if needed <= source.columns.keys():
            return source
    return None


def _whole_classes(statuses: frozenset[int]) -> list[int] | None:
    """The classes whose statuses these are, None where they are not whole ones."""
    touched = sorted({status // 100 for status in statuses})
    whole = frozenset().union(*(_CLASSES[number] for number in touched))
    return touched if whole == statuses else None


def _from_rollup(source: _Source, asked: Asked, spans: Sequence[Span]) -> dict[tuple[Any, ...], Facts]:
    model = source.model
    key = [_bucket(model, asked) if part == "time" else source.columns[part] for part in asked.by]
    inside = reduce(or_, (within(model, span) for span in spans))
    conditions = [inside, *_filters(source, asked)]
    counted = model.select(*key, fn.SUM(model.requests), fn.SUM(model.latency_sum), fn.MAX(model.latency_max))
    groups: dict[tuple[Any, ...], Facts] = {}
    for row in counted.where(*conditions).group_by(*key).tuples() if key else counted.where(*conditions).tuples():
        if row[-3] is not None:
            facts = Facts(int(row[-3]), int(row[-2]), int(row[-1]))
            _add(groups, {_key(asked, row[:-3]): facts})
    if asked.latencies:
        blobs: dict[tuple[Any, ...], list[bytes]] = {}
        for row in model.select(*key, model.latency).where(*conditions).tuples():
            blobs.setdefault(_key(asked, row[:-1]), []).append(bytes(row[-1]))
        _add(groups, {at: Facts(latencies=tuple(found)) for at, found in blobs.items()})
    return groups


def _filters(source: _Source, asked: Asked) -> list[Any]:
    """What of the selection a rollup is asked for: only what it can tell apart."""
    selection, columns = asked.selection, source.columns
    found: list[Any] = [source.model.kept.in_((0, 1) if asked.scope == "all" else (1,))]
    if selection.status is not None:
        classes = _whole_classes(selection.status)
        by_class = "status" not in columns
        found.append(columns["class"].in_(classes) if by_class else among(columns["status"], selection.status))
    if selection.method is not None:
        found.append(one_of(columns["method"], selection.method))
    if selection.route is not None:
        found.append(one_of(columns["route"], route_ids(selection.route)))
    if asked.among:
        found.append(columns[asked.by[0]].in_(asked.among))
    return found


def _bucket(model: Any, asked: Asked) -> Any:
    return model.bucket - fn.MOD(model.bucket, asked.step)  # (`%` is LIKE to Peewee)


def _from_rows(asked: Asked, now: float, clock: Callable[[], float]) -> Found:
    """All from stored rows, the newest first, for as long as the budget lasts."""
    window = asked.window.widened(asked.step, asked.step) if "time" in asked.by else asked.window
    scan = Scan(window, clock() + asked.budget, clock=clock)
    groups = _rows(asked, matching(asked.selection, window), scan)
    return Found(groups, window, of_rows(scan, retained(window, now)), asked.step if window != asked.window else 0)


def of_rows(scan: Scan, there: float) -> Coverage:
    """What a scan covers, of whose rows this share is still there."""
    share = scan.share * there
    return Coverage("rows", "stored", share == 1, 1.0 if share == 1 else min(round(share, 4), 0.9999))


def _rows(asked: Asked, condition: Expression, scan: Scan) -> dict[tuple[Any, ...], Facts]:
    """What the rows of a scan come to."""
    groups: dict[tuple[Any, ...], Facts] = {}
    key = [_column(part, asked.step) for part in asked.by]
    if asked.among:
        condition &= key[0].in_(asked.among)
    for piece in scan:
        if asked.latencies:
            counted = LogEntry.select(*key, LogEntry.latency_ms, fn.COUNT(LogEntry.id))
            rows = counted.where(piece.holds(), condition).group_by(*key, LogEntry.latency_ms).tuples()
            _add(groups, _spread(asked, rows))
            continue
        sums = (fn.COUNT(LogEntry.id), fn.SUM(LogEntry.latency_ms), fn.MAX(LogEntry.latency_ms))
        summed: Any = LogEntry.select(*key, *sums).where(piece.holds(), condition)
        for row in (summed.group_by(*key) if key else summed).tuples():
            if row[-3]:
                _add(groups, {_key(asked, row[:-3]): Facts(int(row[-3]), int(row[-2]), int(row[-1]))})
    return groups


def _spread(asked: Asked, rows: Iterable[Sequence[Any]]) -> dict[tuple[Any, ...], Facts]:
    """Facts by key, of rows that are a key, a latency, and how often it was seen there."""
    seen: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for row in rows:
        seen.setdefault(_key(asked, row[:-2]), []).append((int(row[-2]), int(row[-1])))
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
    if part == "time":
        is_mysql = isinstance(LogEntry._meta.database, MySQLDatabase)
        # SQLite rounds to milliseconds, and the last of a minute would belong to the next.
        text = "CAST(strftime('%s', substr(timestamp, 1, 19)) AS INT)"
        since = "TIMESTAMPDIFF(SECOND, '1970-01-01', timestamp)" if is_mysql else text
        seconds = SQL(since)
        return seconds - fn.MOD(seconds, step)  # (`%` is LIKE to Peewee)
    columns = {
        "status": LogEntry.status,
        "class": LogEntry.status,
        "method": LogEntry.method,
        "route": LogEntry.route,
        "path": LogEntry.path,
        "ip": LogEntry.ip,
    }
    return columns[part]


def _key(asked: Asked, values: Sequence[Any]) -> tuple[Any, ...]:
    """A group's key as it is told: a class for its statuses, `other` for the methods that rollups count together."""
    return tuple(_told(part, value) for part, value in zip(asked.by, values, strict=True))


def _told(part: str, value: Any) -> Any:
    if part == "class":
        return value // 100 if value >= 100 else value
    if part == "method":
        return value if value in METHODS else OTHER_METHOD
    return int(value) if part == "time" else value


def _add(groups: dict[tuple[Any, ...], Facts], more: dict[tuple[Any, ...], Facts]) -> None:
    for at, facts in more.items():
        groups[at] = groups[at] + facts if at in groups else facts
