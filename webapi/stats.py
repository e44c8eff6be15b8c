"""Statistics, from the cache where it has them, from the store where it has not, or does not answer."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from pipeline import statistics
from pipeline.cache import Cache
from pipeline.errors import Unavailable
from pipeline.statistic import RANGES, Statistic
from pipeline.storage import Store
from webapi.questions import StatsQuestion


class Found(NamedTuple):
    """A statistic, and whether it was cached."""

    statistic: Statistic
    hit: bool


def look_up(store: Store, cache: Cache, question: StatsQuestion, now: datetime) -> Found:
    """The statistic that a question asks for, as of `now` or as it is cached.

    A cache that is away is no error. Raises Unavailable when the database is needed and does not answer.
    """
    kind, range_name, scope = question.kind, question.range_name or "hour", question.scope
    with suppress(Unavailable):
        cached = cache.statistic(kind, range_name, scope)
        if cached and cached.type == kind and _dated(cached):
            return Found(cached, hit=True)
    computed = statistics.compute(store, kind, now - RANGES[range_name], now, scope)
    with suppress(Unavailable):
        cache.keep_statistic(computed, range_name, scope)
    return Found(computed, hit=False)


def _dated(cached: Statistic) -> bool:
    """Whether it says when it was computed; another version's, or somebody else's, may not."""
    try:
        return datetime.fromisoformat(cached.meta["computed_at"]).tzinfo is not None
    except (KeyError, TypeError, ValueError):
        return False
