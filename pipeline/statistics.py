"""The contract's statistics, computed from the store: whole buckets from rollups, the window's edges from rows.

Everything of one answer is read in one snapshot. Rollups know nine days in minutes: no window may begin earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

import polars as pl
from peewee import Expression, fn

from pipeline import visitors
from pipeline.cover import Span, cover
from pipeline.models import LogEntry, RequestRollup, UtcField, VisitorRollup
from pipeline.moment import rfc3339
from pipeline.rollup import FIVE_MINUTES, MINUTE, REQUEST_LEVELS, VISITOR_LEVELS
from pipeline.statistic import Statistic
from pipeline.storage import Store

# Up to so many stored rows different addresses are counted, past it they are estimated.
EXACT_ROWS: Final = 20_000
# More rows than this in the edges of an estimate, and their whole buckets are taken instead.
EDGE_ROWS: Final = 200_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000


class Tally(NamedTuple):
    """Requests, and their latencies' sum and maximum in ms."""

    requests: int = 0
    latency_sum: int = 0
    latency_max: int = 0


class Window(NamedTuple):
    """From `start` to before `stop`, in microseconds since the epoch."""

    start: int
    stop: int

    def split(self, width: int) -> tuple[int, int, list[Window]]:
        """The first and the end (seconds) of the whole buckets inside, and the edges that are left of the window."""
        first, end = -(-self.start // (width * _SECOND)) * width, self.stop // (width * _SECOND) * width
        if first >= end:
            return first, first, [self]
        edges = [Window(self.start, first * _SECOND), Window(end * _SECOND, self.stop)]
        return first, end, [edge for edge in edges if edge.start < edge.stop]

    def widened(self, width: int) -> Window:
        """The whole buckets that this window touches."""
        unit = width * _SECOND
        return Window(self.start // unit * unit, -(-self.stop // unit) * unit)


def compute(store: Store, kind: str, start: datetime, end: datetime, scope: str) -> Statistic:
    """The statistic `kind` (of `statistic.KINDS`) over lines dated `start` to `end`, both included, in UTC.

    With scope `stored` exact to the microsecond, but for what `meta.estimated` names with its standard error; with
    `all` from the minute in which `start` lies (visitors: five minutes). Raises Unavailable.
    """
    exact = Window(_microseconds(start), _microseconds(end) + 1)
    window = exact if scope == "stored" else exact.widened(MINUTE)
    meta: dict[str, Any] = {
        "scope": scope,
        "window": {"from": rfc3339(_moment(window.start)), "to": rfc3339(end)},
        "computed_at": rfc3339(end),
    }
    if scope == "all":
        meta["rounded_to_seconds"] = MINUTE

    def work() -> Statistic:
        tallies = _tallies(window, scope)
        if kind == "latency":
            return Statistic(kind, _latency(tallies.values()), meta)
        if kind == "errors":
            return Statistic(kind, _errors(tallies, scope), meta)
        total = sum(tally.requests for tally in tallies.values())
        unique, more = _visitors(window, scope, total)
        return Statistic(kind, {"total_request": total, "unique_ips": unique}, meta | more)

    return store.read(work)


def _latency(tallies: Iterable[Tally]) -> dict[str, Any]:
    every = list(tallies)
    requests = sum(tally.requests for tally in every)
    average = round(sum(tally.latency_sum for tally in every) / requests, 4) if requests else 0
    return {"avg_latency": average, "max_latency": max((tally.latency_max for tally in every), default=0)}


def _errors(tallies: dict[int, Tally], scope: str) -> dict[str, int]:
    least = 400 if scope == "all" else 0
    return {str(status): tally.requests for status, tally in sorted(tallies.items()) if status >= least}


def _tallies(window: Window, scope: str) -> dict[int, Tally]:
    """What a window holds, by status, in one statement."""
    first, end, edges = window.split(MINUTE)
    model = RequestRollup
    parts: list[Any] = []  # (peewee's types do not know that unions differ from what they join)
    if spans := cover(first, end, REQUEST_LEVELS):
        sums = (fn.SUM(model.requests), fn.SUM(model.latency_sum), fn.MAX(model.latency_max))
        kept = (0, 1) if scope == "all" else (1,)
        buckets = model.select(model.status, *sums).where(_within(model, spans), model.kept.in_(kept))
        parts.append(buckets.group_by(model.status))
    if edges:
        sums = (fn.COUNT(LogEntry.id), fn.SUM(LogEntry.latency_ms), fn.MAX(LogEntry.latency_ms))
        rows = LogEntry.select(LogEntry.status, *sums).where(_dated(edges))
        parts.append(rows.group_by(LogEntry.status))
    found: dict[int, Tally] = {}
    for status, requests, latency_sum, latency_max in reduce(lambda one, other: one + other, parts).tuples():
        known = found.get(status, Tally())
        found[status] = Tally(
            known.requests + int(requests), known.latency_sum + int(latency_sum), max(known.latency_max, latency_max)
        )
    return found


def _visitors(window: Window, scope: str, requests: int) -> tuple[int, dict[str, Any]]:
    """How many addresses a window's requests came from, and what `meta` has to say about that."""
    if scope == "stored" and requests <= EXACT_ROWS:
        return int(LogEntry.select(fn.COUNT(LogEntry.ip.distinct())).where(_dated([window])).scalar() or 0), {}
    meta: dict[str, Any] = {"estimated": {"unique_ips": visitors.STANDARD_ERROR}}
    edges = window.split(FIVE_MINUTES)[2] if scope == "stored" else []
    if scope == "all" or sum(_requests(edge) for edge in edges) > EDGE_ROWS:
        meta["visitors_rounded_to_seconds"] = FIVE_MINUTES
        window, edges = window.widened(FIVE_MINUTES), []
    first, end, _ = window.split(FIVE_MINUTES)
    sketches = _sketches(cover(first, end, VISITOR_LEVELS), (0, 1) if scope == "all" else (1,))
    if edges:
        distinct: Any = LogEntry.select(LogEntry.ip).where(_dated(edges)).distinct().tuples()
        addresses = [ip for (ip,) in distinct]
        sketches.append(visitors.sketch(visitors.hashes(pl.Series(addresses, dtype=pl.String))))
    return visitors.estimate(visitors.merge(sketches)), meta


def _sketches(spans: Sequence[Span], kept: Sequence[int]) -> list[bytes]:
    if not spans:
        return []
    model = VisitorRollup
    query: Any = model.select(model.sketch).where(_within(model, spans), model.kept.in_(kept)).tuples()
    return [bytes(sketch) for (sketch,) in query]


def _requests(window: Window) -> int:
    return sum(tally.requests for tally in _tallies(window, "stored").values())


def _within(model: type[RequestRollup | VisitorRollup], spans: Sequence[Span]) -> Expression:
    return reduce(
        or_,
        ((model.level == span.level) & (model.bucket >= span.first) & (model.bucket < span.end) for span in spans),
    )


def _dated(windows: Sequence[Window]) -> Expression:
    timestamp: UtcField = LogEntry.timestamp
    return reduce(
        or_,
        ((timestamp >= _moment(window.start)) & (timestamp < _moment(window.stop)) for window in windows),
    )


def _microseconds(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
