"""Stored lines, filtered, a page of them at a time: found from the newest id back, within a time budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from peewee import fn

from pipeline import blocks
from pipeline.entries import Scan, matching, route_names
from pipeline.errors import TooSlow
from pipeline.models import LogEntry
from pipeline.moment import rfc3339
from pipeline.routes import OTHER
from pipeline.selection import EVERYTHING
from pipeline.storage import Store
from pipeline.window import Window
from webapi import totals
from webapi.questions import LogsQuestion
from webapi.totals import Total

# Seconds for the lines of a page.
BUDGET: Final = 1.0
COLUMNS: Final = (
    LogEntry.id,
    LogEntry.timestamp,
    LogEntry.ip,
    LogEntry.method,
    LogEntry.path,
    LogEntry.status,
    LogEntry.latency_ms,
    LogEntry.route,
)


class Page(NamedTuple):
    """Some lines with the contract's keys, and how many there are, or at least are."""

    lines: list[dict[str, Any]]
    total: int
    exact: bool
    before: int | None  # the next page has only ids less than this; None where there is none
    share: float  # how much of the rows was looked at for these lines


def page(store: Store, question: LogsQuestion, now: datetime, clock: Callable[[], float] = time.monotonic) -> Page:
    """The lines that a question asks for, newest first; everything is of one snapshot.

    Raises Unavailable, and TooSlow where an offset could not be reached in time.
    """
    window = window_of(question.start, question.end)

    def work() -> Page:
        counted = None
        if question.offset:
            counted = totals.count(question.selection, window, now, clock)
            if counted.exact and question.offset >= counted.lines:
                return Page([], counted.lines, True, None, 1.0)
        below, offset = question.before, question.offset
        if offset and window is None and question.selection == EVERYTHING:
            below, offset = blocks.skip(offset)
        scan = Scan(window, clock() + BUDGET, below, clock)
        rows = _rows(question, window, scan, offset)
        more = len(rows) > question.limit
        rows = rows[: question.limit]
        before = rows[-1][0] if more else None if scan.complete else scan.next_below
        if not more and scan.complete and question.before is None and (rows or not question.offset):
            counted = Total(question.offset + len(rows), True)
        if counted is None:
            # A cursor's page counts no rows anew, the first one did; nor is there time for more than the page had.
            rows_too = more and question.before is None
            counted = totals.count(question.selection, window, now, clock, rows_too)
        total = max(counted.lines, question.offset + len(rows) if rows else 0)
        return Page(told(rows), total, counted.exact, before, 1.0 if more else round(scan.share, 4))

    return store.read(work)


def line(store: Store, id: int) -> dict[str, Any] | None:
    """The line of that id, None where there is none. Raises Unavailable."""
    return store.read(lambda: next(iter(told(list(LogEntry.select(*COLUMNS).where(LogEntry.id == id).tuples()))), None))


def told(rows: list[Any]) -> list[dict[str, Any]]:
    """Rows of COLUMNS as lines with the contract's keys. Within a transaction."""
    routes = route_names(row[-1] for row in rows)
    return [
        {
            "id": number,
            "Timestamp": rfc3339(timestamp),
            "IP": ip,
            "Method": method,
            "Path": path,
            "Status": status,
            "LatencyMs": latency_ms,
            "Route": routes.get(route, OTHER),
        }
        for number, timestamp, ip, method, path, status, latency_ms, route in rows
    ]


def window_of(start: datetime | None, end: datetime | None) -> Window | None:
    """The window between two times, both included; None where neither is said."""
    return None if start is None and end is None else Window.of(start or _EARLIEST, end or _LATEST)


def _rows(question: LogsQuestion, window: Window | None, scan: Scan, skip: int) -> list[Any]:
    """The rows of a page and, where there is one, the row after it."""
    condition = matching(question.selection, window)
    lines = LogEntry.select(*COLUMNS).order_by(LogEntry.id.desc())
    rows: list[Any] = []
    wanted = question.limit + 1
    for piece in scan:
        if skip:
            here = LogEntry.select(fn.COUNT(LogEntry.id)).where(piece.holds(), condition).scalar() or 0
            if here <= skip:
                skip -= here
                continue
        rows.extend(lines.where(piece.holds(), condition).limit(wanted - len(rows)).offset(skip).tuples())
        skip = 0
        if len(rows) >= wanted:
            return rows
    if skip and not scan.complete:
        raise TooSlow(BUDGET)
    return rows


_EARLIEST, _LATEST = datetime(1970, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 (naive UTC, as the database's times are)
