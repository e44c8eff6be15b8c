"""A window taken apart for a rollup: which whole buckets to read, and the edges around them, whose rows are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

from peewee import Expression, fn

from pipeline.cover import Span, cover
from pipeline.entries import Scan
from pipeline.models import LogBlock, RequestRollup
from pipeline.rollup import DAY, FIVE_MINUTES, HOUR, KEPT, MINUTE, REQUEST_LEVELS
from pipeline.window import Window

# More rows than this in the edges of a window, and its whole buckets are taken instead.
EDGE_ROWS: Final = 200_000
# How far back (seconds) buckets of a level are read: less far than they are kept, since before a window's end all those
# are read that the next wider bucket does not hold, up to one of those more.
READ: Final = {
    MINUTE: KEPT[MINUTE] - 2 * HOUR,
    FIVE_MINUTES: KEPT[FIVE_MINUTES] - 2 * HOUR,
    HOUR: KEPT[HOUR] - 2 * DAY,
}


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
        if few and retained(edges, now) == 1:
            return Cut(window, 0, cover(first, end, levels), scans)
    whole = window.widened(first_width, last_width)
    first, end, _ = whole.split(first_width, last_width)
    return Cut(whole, first_width if whole != window else 0, cover(first, end, levels), [])


def retained(windows: Sequence[Window], now: float) -> float:
    """Which share (0 to 1) of the rows of windows is still there: rollups are kept for longer.

    Told of the whole buckets that the windows touch.
    """
    wholes = [
        window.widened(*(narrowest(REQUEST_LEVELS, now, at) for at in (window.start, window.stop)))
        for window in windows
    ]
    ends = [(whole.start // 1_000_000, whole.stop // 1_000_000) for whole in wholes]
    model = RequestRollup
    spans = [span for first, end in ends for span in cover(first, end, REQUEST_LEVELS)]
    if not spans:
        return 1.0
    stored: Any = model.select(fn.SUM(model.requests)).where(inside(model, spans), model.kept == 1).scalar()
    if not stored:
        return 1.0
    minutes = reduce(or_, (LogBlock.minute.between(first, end - 1) for first, end in ends))
    there: Any = LogBlock.select(fn.SUM(LogBlock.entries)).where(minutes).scalar()
    share: float = (there or 0) / stored
    return min(1.0, share)


def narrowest(levels: Sequence[int], now: float, at: int) -> int:
    """The narrowest level that is read at a time (microseconds)."""
    return next((level for level in levels if reaches(level, now, at)), levels[-1])


def reaches(level: int, now: float, at: int) -> bool:
    """Whether buckets of a level are still read at a time (microseconds)."""
    return now - at / 1_000_000 <= READ.get(level, math.inf)


def inside(model: Any, spans: Sequence[Span]) -> Expression:
    """The condition that a bucket of a rollup is in one of these spans, of which there is one at least."""
    return reduce(
        or_,
        ((model.level == span.level) & (model.bucket >= span.first) & (model.bucket < span.end) for span in spans),
    )
