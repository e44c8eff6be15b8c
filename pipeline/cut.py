"""A window taken apart for a rollup: which whole buckets to read, and the edges around them, whose rows are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from peewee import Expression, fn

from pipeline.cover import Span, cover
from pipeline.entries import Scan
from pipeline.models import LogBlock, RequestRollup
from pipeline.rollup import DAY, FIVE_MINUTES, HOUR, MINUTE, REQUEST_LEVELS
from pipeline.window import Window

# More rows than this in the edges of a window, and its whole buckets are taken instead.
EDGE_ROWS: Final = 200_000
# How far back (seconds) buckets of a level are read. Housekeeping keeps nine days of the narrow ones and a hundred of
# the hours; before a window's end all those are read that the next wider bucket does not hold, up to one of those more.
KEPT: Final = {MINUTE: 9 * DAY - 2 * HOUR, FIVE_MINUTES: 9 * DAY - 2 * HOUR, HOUR: 98 * DAY}


class Cut(NamedTuple):
    """A window taken apart: `spans` of whole buckets, and the `edges` around them, whose rows are read."""

    window: Window  # as it was asked for, or widened to whole buckets
    rounded: int  # seconds to which it was widened, 0 where it was not
    spans: list[Span]
    edges: list[tuple[Window, Scan]]


def cut(window: Window, levels: Sequence[int], now: float, exact: bool, clock: Callable[[], float]) -> Cut:
    """Takes a window apart for a rollup of these levels, as of `now`; what is not to be `exact` has no edges.

    Narrow buckets of long ago are gone: there the first bucket is a wider one.
    """
    first_width, last_width = (narrowest(levels, now, at) for at in (window.start, window.stop))
    if exact:
        first, end, edges = window.split(first_width, last_width)
        scans = [(edge, Scan(edge, math.inf, clock=clock)) for edge in edges]
        few = sum(scan.rows for _, scan in scans) <= EDGE_ROWS
        if few and all(retained(edge, now) == 1 for edge in edges):
            return Cut(window, 0, cover(first, end, levels), scans)
    whole = window.widened(first_width, last_width)
    first, end, _ = whole.split(first_width, last_width)
    return Cut(whole, first_width if whole != window else 0, cover(first, end, levels), [])


def retained(window: Window, now: float) -> float:
    """Which share (0 to 1) of a window's rows is still there: rollups are kept for longer.

    Told of the whole buckets that the window touches.
    """
    whole = window.widened(*(narrowest(REQUEST_LEVELS, now, at) for at in (window.start, window.stop)))
    first, end = whole.start // 1_000_000, whole.stop // 1_000_000
    model = RequestRollup
    stored = sum(
        int(model.select(fn.SUM(model.requests)).where(within(model, span), model.kept == 1).scalar() or 0)
        for span in cover(first, end, REQUEST_LEVELS)
    )
    if not stored:
        return 1.0
    there: Any = LogBlock.select(fn.SUM(LogBlock.entries)).where(LogBlock.minute >= first, LogBlock.minute < end)
    return min(1.0, int(there.scalar() or 0) / stored)


def narrowest(levels: Sequence[int], now: float, at: int) -> int:
    """The narrowest level that is read at a time (microseconds)."""
    return next((level for level in levels if reaches(level, now, at)), levels[-1])


def reaches(level: int, now: float, at: int) -> bool:
    """Whether buckets of a level are still read at a time (microseconds)."""
    return now - at / 1_000_000 <= KEPT.get(level, math.inf)


def within(model: Any, span: Span) -> Expression:
    """The condition that a bucket of a rollup is in a span."""
    return (model.level == span.level) & (model.bucket >= span.first) & (model.bucket < span.end)
