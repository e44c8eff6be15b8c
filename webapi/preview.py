"""What another DISCARD_STATUS would have stored of the last day's lines, beside what was stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from pipeline.rollup import MINUTE
from pipeline.selection import EVERYTHING
from pipeline.statistics import Question
from pipeline.storage import Store
from pipeline.window import Window

_DAY: Final = timedelta(days=1)


def preview(store: Store, discarded: frozenset[int], now: datetime) -> dict[str, Any]:
    """The lines of the last day by status, with what was and what would have been stored. Raises Unavailable.

    The day is one of whole minutes, of which the rollups know everything.
    """
    window = Window.of(now - _DAY, now).widened(MINUTE, MINUTE)

    def work() -> dict[str, Any]:
        every = Question(store, window, "all", EVERYTHING, now)
        found = every.facts("status")
        stored = Question(store, window, "stored", EVERYTHING, now).facts("status")
        rows = [
            {
                "status": status,
                "requests": of.requests,
                "stored": stored.groups[key].requests if (key := (status,)) in stored.groups else 0,
                "would_be_stored": 0 if status in discarded else of.requests,
            }
            for (status,), of in sorted(found.groups.items())
        ]
        return {
            "requests": found.total.requests,
            "present": _sum(rows, "stored"),
            "proposed": _sum(rows, "would_be_stored"),
            "by_status": rows,
            "meta": every.meta(found, range=None),
        }

    return store.read(work)


def _sum(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    requests, stored = (sum(row[one] for row in rows) for one in ("requests", name))
    return {"stored": stored, "share": round(stored / requests, 6) if requests else 0}
