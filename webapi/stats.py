"""Statistics, from the cache where it has them, from the store where it has not, or does not answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from pipeline import statistics
from pipeline.cache import KEPT_SECONDS, Cache
from pipeline.errors import Unavailable
from pipeline.selection import EVERYTHING
from pipeline.statistic import Statistic
from pipeline.statistics import Question
from pipeline.storage import Store
from pipeline.window import Window
from webapi.questions import SeriesQuestion, StatsQuestion, TopQuestion
from webapi.series import series
from webapi.top import top

# Seconds that a series or a ranking is kept: they cost more than their freshness is worth, and nobody warms them.
_KEPT_SECONDS = 10


class Found(NamedTuple):
    """A statistic, and whether it was cached."""

    statistic: Statistic
    hit: bool


def look_up(store: Store, cache: Cache, question: StatsQuestion, now: datetime) -> Found:
    """The statistic that a question asks for, as of `now` or as it is cached.

    A cache that is away is no error. Raises Unavailable when the database is needed and does not answer, and TooSlow.
    """
    kind, range_name, scope = question.kind, question.range_name, question.scope
    kept = range_name if range_name and question.selection == EVERYTHING else None
    if kept:
        with suppress(Unavailable):
            cached = cache.statistic(kind, kept, scope)
            if cached and cached.type == kind and _dated(cached):
                return Found(cached, hit=True)
    computed = statistics.compute(store, kind, question.start, question.end, scope, question.selection, now)
    if kept:
        with suppress(Unavailable):
            cache.keep_statistic(computed, kept, scope)
    return Found(computed, hit=False)


def look_up_series(store: Store, cache: Cache, asked: SeriesQuestion, now: datetime) -> dict[str, Any]:
    """The series that a question asks for; raises as `look_up` does."""
    return _remembered(cache, asked, lambda: store.read(lambda: series(asked, _question(store, asked, now))))


def look_up_top(store: Store, cache: Cache, asked: TopQuestion, now: datetime) -> dict[str, Any]:
    """The ranking that a question asks for; raises as `look_up` does."""
    return _remembered(cache, asked, lambda: store.read(lambda: top(asked, _question(store, asked, now))))


def _question(store: Store, asked: SeriesQuestion | TopQuestion, now: datetime) -> Question:
    return Question(store, Window.of(asked.start, asked.end), asked.scope, asked.selection, now)


def _remembered(
    cache: Cache, asked: SeriesQuestion | TopQuestion, compute: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    if asked.range_name not in KEPT_SECONDS:
        return compute()
    # The window of a range moves on with the clock; the question stays the same.
    said = {name: value for name, value in msgspec.structs.asdict(asked).items() if name not in ("start", "end")}
    written = msgspec.json.encode(said, order="deterministic")
    key = f"{type(asked).__name__}:{hashlib.blake2b(written, digest_size=16).hexdigest()}"
    with suppress(Unavailable):
        if found := cache.answer(key):
            return found
    computed = compute()
    with suppress(Unavailable):
        cache.keep_answer(key, computed, _KEPT_SECONDS)
    return computed


def _dated(cached: Statistic) -> bool:
    """Whether it says when it was computed; another version's, or somebody else's, may not."""
    try:
        return datetime.fromisoformat(cached.meta["computed_at"]).tzinfo is not None
    except (KeyError, TypeError, ValueError):
        return False
