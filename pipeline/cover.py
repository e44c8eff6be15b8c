"""Reading rollups: a stretch of time as few buckets of different widths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Neighbouring buckets of one width: all that start at `first` or later and before `end` (seconds)."""

    level: int
    first: int
    end: int


def cover(first: int, end: int, levels: Sequence[int]) -> list[Span]:
    """The spans that together are `[first, end)`, without overlap, in order, as wide as they can be.

    `levels` are widths in seconds, the narrowest first, each a divisor of the next; `first` and `end` are multiples
    of the narrowest. At most two spans a level, and one of the widest.
    """
    if first >= end:
        return []
    *narrower, level = levels
    inner, outer = -(-first // level) * level, end // level * level
    if inner >= outer:
        return cover(first, end, narrower)
    return [*cover(first, inner, narrower), Span(level, inner, outer), *cover(outer, end, narrower)]
