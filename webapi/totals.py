"""How many stored lines match: from `log_block` and rollups where they know, else from rows within a time budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from peewee import fn

from pipeline import reader, rollup_facts
from pipeline.cut import narrowest
from pipeline.entries import Scan, matching
from pipeline.facts import Asked
from pipeline.models import LogBlock, LogEntry
from pipeline.rollup import MINUTE, REQUEST_LEVELS, ROUTE_LEVELS
from pipeline.selection import EVERYTHING, Selection
from pipeline.window import Window

# Seconds for counting rows.
BUDGET: Final = 0.5
_SECOND: Final = 1_000_000


class Total(NamedTuple):
    """How many there are, or at least are."""

    lines: int
    exact: bool


def count(
    selection: Selection, window: Window | None, now: datetime, clock: Callable[[], float], rows: bool = True
) -> Total:
    """How many lines of a selection are dated in a window (None: at any time), as of `now`.

    Without `rows`, what only rows could tell is not counted. Within a transaction of `Store.read`.
    """
    asked = _overlap(window, _extent())
    if asked is None:
        return Total(0, True)
    deadline = clock() + BUDGET
    if (widths := _widths(selection, asked, now)) is not None:
        first, end, edges = asked.split(*widths)
        whole = _whole(selection, Window(first * _SECOND, end * _SECOND), now, clock) if first < end else 0
        if whole is not None:
            of_edges = [_of_rows(selection, edge, deadline, clock) for edge in edges]
            return Total(whole + sum(one.lines for one in of_edges), all(one.exact for one in of_edges))
    return _of_rows(selection, window, deadline, clock) if rows else Total(0, False)


def _widths(selection: Selection, window: Window, now: datetime) -> tuple[int, int] | None:
    """How wide the first and the last bucket are that can be counted without looking at rows; None where none can."""
    if selection == EVERYTHING:
        return MINUTE, MINUTE
    if rollup_facts.source(Asked(window, selection, "stored")) is None:
        return None
    levels = REQUEST_LEVELS if selection.route is None else ROUTE_LEVELS
    first, last = (narrowest(levels, now.timestamp(), at) for at in window)
    return first, last


def _whole(selection: Selection, window: Window, now: datetime, clock: Callable[[], float]) -> int | None:
    """How many match in a window of whole buckets, None where rollups cannot say or know more than the rows do."""
    entries = _entries(window)
    if selection == EVERYTHING:
        return entries
    every = reader.read(Asked(window, EVERYTHING, "stored"), now.timestamp(), clock)
    found = reader.read(Asked(window, selection, "stored"), now.timestamp(), clock)
    if every.window != window or found.window != window or every.total.requests != entries:
        return None
    return found.total.requests


def _of_rows(selection: Selection, window: Window | None, deadline: float, clock: Callable[[], float]) -> Total:
    scan = Scan(window, deadline, clock=clock)
    condition = matching(selection, window)
    counted: Any = LogEntry.select(fn.COUNT(LogEntry.id))
    return Total(sum(counted.where(piece.holds(), condition).scalar() or 0 for piece in scan), scan.complete)


def _entries(window: Window) -> int:
    """How many lines there are in a window of whole minutes."""
    inside = LogBlock.minute.between(window.start // _SECOND, window.stop // _SECOND - 1)
    return LogBlock.select(fn.SUM(LogBlock.entries)).where(inside).scalar() or 0


def _extent() -> Window | None:
    """The minutes that have lines, from the first to the last; None where none has."""
    first = LogBlock.select(fn.MIN(LogBlock.minute)).scalar()
    last = LogBlock.select(fn.MAX(LogBlock.minute)).scalar()
    return None if first is None else Window(first * _SECOND, (last + MINUTE) * _SECOND)


def _overlap(window: Window | None, extent: Window | None) -> Window | None:
    if window is None or extent is None:
        return extent
    both = Window(max(window.start, extent.start), min(window.stop, extent.stop))
    return both if both.start < both.stop else None
