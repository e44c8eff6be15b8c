"""Into which steps a window is parted where nobody says it: pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pipeline.rollup import DAY, FIVE_MINUTES, HOUR

_MOST_CHOSEN_POINTS: Final = 300
# Each at most ten times the one before: where one gives too many points, the next gives 30 at least.
_STEPS: Final = (
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)),
    *(DAY * days for days in (1, 2, 7, 14, 28, 91, 182, 364)),
)
_MOST_VISITOR_POINTS: Final = 50
_VISITOR_STEPS: Final = (FIVE_MINUTES, HOUR, DAY, 7 * DAY, 28 * DAY, 364 * DAY, 3_640 * DAY)


def chosen_step(start: datetime, end: datetime, metric: str = "") -> int:
    """How many seconds a point of a series covers where nobody says it.

    Of visitors there are fewer points: each is made of sketches, which are large.
    """
    steps, most = (_VISITOR_STEPS, _MOST_VISITOR_POINTS) if metric == "visitors" else (_STEPS, _MOST_CHOSEN_POINTS)
    return next(step for step in steps if points(start, end, step) <= most)


def points(start: datetime, end: datetime, step: int) -> int:
    """How many steps, of `step` seconds each and beginning at its multiples since the epoch, a window touches."""
    return int(end.timestamp() // step) - int(start.timestamp() // step) + 1
