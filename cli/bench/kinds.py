"""The kinds of requests that the bench of queries asks, and how fast each is to be."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from webapi import cursor, parameters

# Of a page number 10,000 with 50 lines a page.
DEEP: Final = 500_000


class Target(NamedTuple):
    """Milliseconds, where the yardstick says 2.5 million lines a second."""

    p50: float
    p99: float | None = None


_ROLLUP: Final = Target(20, 60)
_PAGE: Final = Target(20)
# Of the slowest part of what a page shows first.
_PART: Final = Target(100)
# What is bounded by a second's budget; its last piece may take a little longer.
_BUDGET: Final = Target(1_100)


class Kind(msgspec.Struct, frozen=True):
    """A kind of request: one GET, and what it, or of `/overview` its slowest part, is to take without a cache."""

    name: str
    path: str
    target: Target

    @property
    def constant(self) -> bool:
        """Whether it is to take no longer of more rows: rollups answer it."""
        return self.target is _ROLLUP

    @property
    def cached(self) -> bool:
        """Whether asking it again is answered from the cache."""
        selects = any(f"{name}=" in self.path for name in ("status", "method", "route"))
        return "range=" in self.path and (
            self.path.startswith("/stats/") or (self.path.startswith("/stats") and not selects)
        )


def kinds(now: datetime, route: str, rare: str, ip: str, last: int) -> list[Kind]:
    """Every kind, for a database where these are a frequent and a rare route and a frequent address.

    `last` is the greatest id.
    """
    found = [
        *(_of("/stats", _ROLLUP, type=kind, range=length, scope=scope) for kind, length, scope in _STATS),
        *(_of("/stats", _ROLLUP, type="latency", range="week", **one) for one in _filters(route)),
        *(_of("/stats/series", _ROLLUP, **one) for one in _series(route)),
        *(_of("/stats/top", _ROLLUP, **one) for one in _tops()),
        *(
            _of("/stats/top", _BUDGET, by=by, range=length)
            for by in ("ip", "path")
            for length in ("hour", "day", "week")
        ),
        *(_of("/overview", _PART, range=length) for length in ("hour", "day", "week")),
        *(_of("/overview", _PART, range="day", **one) for one in _filters(route)),
        _of("/logs", _PAGE),
        _of("/logs", _PAGE, range="day"),
        *(_of("/logs", _PAGE, status=status) for status in ("404", "503", "418", "5xx")),
        *(_of("/logs", _PAGE, range="day", status=status) for status in ("404", "503", "418", "5xx")),
        *(_of("/logs", _PAGE, route=one) for one in (route, rare)),
        *(
            _of("/logs", _BUDGET, **{name: text})
            for name, text in (("method", "PUT"), ("ip", ip), ("ip", "10.255.255.254"))
        ),
        *(_of("/logs", _BUDGET, path=path) for path in ("/items", "/no-such-thing")),
        _of("/logs", _BUDGET, q="status:5xx path:/api latency:>5000"),
    ]
    if last > DEEP:
        question = parameters.logs_question([], now)
        found.append(Kind("/logs, page 10,000", f"/logs?cursor={quote(cursor.encode(question, last - DEEP))}", _PAGE))
    return found


_STATS: Final = (
    *(
        (kind, length, "stored")
        for kind in ("errors", "latency", "traffic", "summary")
        for length in ("hour", "day", "week")
    ),
    *((kind, "week", "all") for kind in ("errors", "latency", "traffic", "summary")),
)


def _filters(route: str) -> list[dict[str, str]]:
    return [{"status": "5xx"}, {"status": "404"}, {"method": "POST"}, {"route": route}]


def _series(route: str) -> list[dict[str, str]]:
    return [
        *(
            {"metric": metric, "range": length}
            for metric in ("requests", "latency")
            for length in ("hour", "day", "week")
        ),
        {"metric": "errors", "by": "class", "range": "week"},
        {"metric": "requests", "range": "week", "scope": "all"},
        {"metric": "requests", "range": "week", "route": route},
        {"metric": "latency", "range": "day", "status": "5xx"},
    ]


def _tops() -> list[dict[str, str]]:
    return [
        *({"by": by, "range": length} for by in ("route", "status", "method") for length in ("hour", "day", "week")),
        {"by": "route", "sort": "p95", "range": "week"},
        {"by": "route", "sort": "errors", "range": "day", "scope": "all"},
    ]


def _of(page: str, target: Target, **query: str) -> Kind:
    path = f"{page}?{urlencode(query)}" if query else page
    return Kind(" ".join([page, *(f"{name}={text}" for name, text in query.items())]), path, target)
