"""Statistics, from the cache where it has them, from the store where it has not, or does not answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple

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

# Seconds that a series, a ranking or a page's figures are kept at most, by their range: for who looks at the same.
# Nobody warms them, and people watch those of short ranges move: a page that was opened looks again after little more
# than a second.
_KEPT_SECONDS: Final = {"15m": 1, "hour": 1, "day": 10, "week": 30}
# And at most so many times as long as it took to work them out, which is a hundredth of a thread for each question:
# what is of few lines, which every new one changes much, is soon worked out again.
_KEPT_TIMES: Final = 100
_LEAST_SECONDS: Final = 1
# Of what is told these are not of the window itself.
_BESIDE: Final = ("time", "key", "previous", "by_class")

Asked = StatsQuestion | SeriesQuestion | TopQuestion


class Found(NamedTuple):
    """A statistic, and whether it was cached."""

    statistic: Statistic
    hit: bool


def look_up(store: Store, cache: Cache, question: StatsQuestion, now: datetime) -> Found:
    """The statistic that a question asks for, as of `now` or as it is cached.

    A cache that is away is no error. Raises Unavailable when the database is needed and does not answer, and TooSlow.
    """
    kind, range_name, scope = question.kind, question.range_name, question.scope
    kept = range_name if range_name in KEPT_SECONDS and question.selection == EVERYTHING else None
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


def look_up_series(
    store: Store, cache: Cache, asked: SeriesQuestion, now: datetime, budget: float | None = None
) -> dict[str, Any]:
    """The series that a question asks for; raises as `look_up` does.

    `budget` is how many seconds a reading of rows may take, where rollups cannot tell; by default all that there are.
    """
    return _remembered(cache, asked, budget, lambda: store.read(lambda: series(asked, _of(store, asked, now, budget))))


def look_up_top(
    store: Store, cache: Cache, asked: TopQuestion, now: datetime, budget: float | None = None
) -> dict[str, Any]:
    """The ranking that a question asks for; as `look_up_series`."""
    return _remembered(cache, asked, budget, lambda: store.read(lambda: top(asked, _of(store, asked, now, budget))))


def look_up_summary(
    store: Store, cache: Cache, asked: StatsQuestion, now: datetime, budget: float | None = None
) -> dict[str, Any]:
    """The summary that a question asks for, as people watch it: as `look_up_series`."""
    each = None if budget is None else budget / statistics.PARTS["summary"]

    def compute() -> dict[str, Any]:
        found = store.read(lambda: statistics.summary(_of(store, asked, now, each)))
        return {"type": found.type, "data": found.data, "meta": {"range": asked.range_name, **found.meta}}

    return _remembered(cache, asked, budget, compute)


def _of(store: Store, asked: Asked, now: datetime, budget: float | None) -> Question:
    return Question(store, Window.of(asked.start, asked.end), asked.scope, asked.selection, now, budget)


def _remembered(
    cache: Cache, asked: Asked, budget: float | None, compute: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    most = _KEPT_SECONDS.get(asked.range_name or "")
    if most is None:
        return compute()
    # The window of a range moves on with the clock; the question stays the same.
    said = {name: value for name, value in msgspec.structs.asdict(asked).items() if name not in ("start", "end")}
    written = msgspec.json.encode((said, budget), order="deterministic")
    key = f"{type(asked).__name__}:{hashlib.blake2b(written, digest_size=16).hexdigest()}"
    with suppress(Unavailable):
        if found := cache.answer(key):
            return found
    begun = time.perf_counter()
    computed = compute()
    took = time.perf_counter() - begun
    # Where nothing came, the first line is waited for.
    seconds = min(most, round(took * _KEPT_TIMES)) if _has_any(computed["data"]) else 0
    with suppress(Unavailable):
        cache.keep_answer(key, computed, max(seconds, _LEAST_SECONDS))
    return computed


def _has_any(data: Any) -> bool:
    """Whether an answer tells of any request: one of its numbers, or of its points' or its places', is not 0."""
    parts = data if isinstance(data, list) else [data]
    return any(value for part in parts for name, value in part.items() if name not in _BESIDE)


def _dated(cached: Statistic) -> bool:
    """Whether it says when it was computed; another version's, or somebody else's, may not."""
    try:
        return datetime.fromisoformat(cached.meta["computed_at"]).tzinfo is not None
    except (KeyError, TypeError, ValueError):
        return False
