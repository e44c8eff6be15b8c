"""All that a page's first view shows, in one answer: each part as its own endpoint would tell it, or what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from pipeline import freshness, ledger
from pipeline.cache import Cache
from pipeline.models import Batch, LedgerMinute
from pipeline.moment import rfc3339
from pipeline.selection import EVERYTHING
from pipeline.storage import Store
from webapi.errors import problem_of
from webapi.questions import LedgerQuestion, OverviewQuestion
from webapi.stats import look_up_series, look_up_summary, look_up_top

PATH: Final = "/overview"
# Seconds for a reading of rows, where rollups cannot tell: a page asks again and again, and says what share it saw.
BUDGET: Final = 0.05
_NAMES: Final = {"route": "routes", "status": "statuses", "method": "methods", "ip": "addresses"}

Panel = Callable[[], dict[str, Any]]


class Overview(NamedTuple):
    """The answer, and how many milliseconds each of its panels took."""

    answer: dict[str, Any]
    took: dict[str, float]


def overview(store: Store, cache: Cache, asked: OverviewQuestion, now: datetime) -> Overview:
    """The answer. Without the database there is none: raises Unavailable. Else what goes wrong is told in its place."""
    window = asked.summary
    answer = {
        "window": {"from": rfc3339(window.start), "to": rfc3339(window.end)},
        "range": window.range_name,
        "scope": window.scope,
        "as_of": rfc3339(now),
        **store.read(lambda: _fresh(store, now)),
    }
    took = {}
    for name, panel in _panels(store, cache, asked, now):
        begun = time.perf_counter()
        answer[name] = _told(name, panel)
        took[name] = (time.perf_counter() - begun) * 1000
    return Overview(answer, took)


def _panels(store: Store, cache: Cache, asked: OverviewQuestion, now: datetime) -> Iterator[tuple[str, Panel]]:
    yield "summary", lambda: look_up_summary(store, cache, asked.summary, now, BUDGET)
    yield "requests", lambda: look_up_series(store, cache, asked.requests, now, BUDGET)
    yield "latency", lambda: look_up_series(store, cache, asked.latency, now, BUDGET)
    if asked.visitors.selection == EVERYTHING:
        yield "visitors", lambda: look_up_series(store, cache, asked.visitors, now, BUDGET)
    for by, top in asked.tops.items():
        yield _NAMES[by], lambda top=top: look_up_top(store, cache, top, now, BUDGET)  # type: ignore[misc]
    yield "ledger", lambda: _ledger(store, asked.ledger)


def _told(name: str, panel: Panel) -> dict[str, Any]:
    try:
        return panel()
    except Exception as error:
        return {"problem": msgspec.to_builtins(problem_of(error, f"{PATH}#{name}"))}


def _fresh(store: Store, now: datetime) -> dict[str, Any]:
    """How fresh everything is, and whether there ever was anything."""
    return {
        **freshness.told(freshness.counted_up_to(store), now),
        "received_ever": any(model.select().exists() for model in (Batch, LedgerMinute)),
    }


def _ledger(store: Store, asked: LedgerQuestion) -> dict[str, Any]:
    """Where the lines are that came in the window's minutes: by when they were planned, not by when they are dated."""
    found = ledger.read(store, asked.first, asked.end)
    return {**msgspec.to_builtins(found), "balanced": found.balanced}
