"""The statistics, computed from the store. Everything of one answer is read in one snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from pipeline import facts, freshness, histogram, visitors
from pipeline.cover import Span
from pipeline.entries import Scan, matching
from pipeline.facts import Asked, Coverage, Facts, Found
from pipeline.models import LogEntry, VisitorRollup
from pipeline.moment import rfc3339
from pipeline.rollup import VISITOR_LEVELS
from pipeline.selection import EVERYTHING, Selection
from pipeline.statistic import Statistic
from pipeline.storage import Store
from pipeline.window import Window

# Up to so many stored rows different addresses are counted, past it they are estimated.
EXACT_ROWS: Final = 20_000
QUANTILES: Final = {"p50_latency": 0.5, "p90_latency": 0.9, "p95_latency": 0.95, "p99_latency": 0.99}


class Visitors(NamedTuple):
    """How many addresses, and how that is known: `error` is a standard error, 0 where they were counted."""

    unique: int
    error: float
    coverage: Coverage
    rounded: int = 0  # seconds to which the window's edges were widened


def compute(
    store: Store,
    kind: str,
    start: datetime,
    end: datetime,
    scope: str,
    selection: Selection = EVERYTHING,
    now: datetime | None = None,
) -> Statistic:
    """The statistic `kind` (of `statistic.KINDS`) over lines dated `start` to `end`, both included, in UTC.

    With scope `stored` exact to the microsecond, but for what `meta.estimated` names with its error; with `all` from
    the minute (routes and visitors: five minutes) in which `start` lies. `now` is `end` unless it is given. Raises
    Unavailable, and TooSlow.
    """
    window, at = Window.of(start, end), (now or end).replace(tzinfo=UTC)
    return store.read(lambda: _STATISTICS[kind](Question(store, window, scope, selection, at)))


class Question:
    """What a statistic is asked of: the lines of a selection in a window. Within a transaction."""

    def __init__(self, store: Store, window: Window, scope: str, selection: Selection, now: datetime) -> None:
        self.store = store
        self.window = window
        self.scope = scope
        self.selection = selection
        self.now = now

    def facts(self, *by: str, latencies: bool = False, step: int = 60) -> Found:
        """The facts by the parts of a key (`facts.Asked`)."""
        return facts.read(Asked(self.window, self.selection, self.scope, by, latencies, step), self.now.timestamp())

    def visitors(self, requests: int, clock: Callable[[], float] = time.monotonic) -> Visitors:
        """How many addresses the requests, of which there are so many, came from."""
        if self.selection != EVERYTHING or (self.scope == "stored" and requests <= EXACT_ROWS):
            return self._visitors_of_rows(clock)
        return self._visitors_of_rollups(clock)

    def meta(self, found: Found, **more: Any) -> dict[str, Any]:
        """What every answer says of itself."""
        counted = freshness.counted_up_to(self.store)
        lag = None if counted is None else max(0.0, (self.now.replace(tzinfo=None) - counted).total_seconds())
        # What ends now is not told to end with its minute.
        last = found.window.last if found.window.last < self.now else self.window.last
        meta: dict[str, Any] = {
            "scope": self.scope,
            "window": {"from": rfc3339(found.window.first), "to": rfc3339(last)},
            "as_of": rfc3339(self.window.last),
            "computed_at": rfc3339(self.now),
            "data_to": None if counted is None else rfc3339(counted),
            "lag_seconds": None if lag is None else round(lag, 3),
            "coverage": msgspec.to_builtins(found.coverage),
        }
        if found.rounded:
            meta["rounded_to_seconds"] = found.rounded
        return meta | more

    def _visitors_of_rows(self, clock: Callable[[], float]) -> Visitors:
        condition = matching(self.selection, self.window)
        scan = Scan(self.window, clock() + facts.BUDGET, clock=clock)
        addresses: set[str] = set()
        sketch, error = visitors.EMPTY, 0.0
        for piece in scan:
            query: Any = LogEntry.select(LogEntry.ip).where(piece.holds(), condition).distinct().tuples()
            addresses.update(ip for (ip,) in query)
            if len(addresses) > EXACT_ROWS:
                sketch, error = visitors.merge((sketch, _sketch(addresses))), visitors.STANDARD_ERROR
                addresses = set()
        unique = visitors.estimate(visitors.merge((sketch, _sketch(addresses)))) if error else len(addresses)
        return Visitors(unique, error, Coverage("rows", "stored", scan.complete, round(scan.share, 4)))

    def _visitors_of_rollups(self, clock: Callable[[], float]) -> Visitors:
        of_rollups = facts.cut(self.window, VISITOR_LEVELS, self.now.timestamp(), self.scope == "stored", clock)
        sketches = self._sketches(of_rollups.spans)
        for edge, scan in of_rollups.edges:
            for piece in scan:
                query: Any = LogEntry.select(LogEntry.ip).where(piece.holds(), matching(EVERYTHING, edge)).distinct()
                sketches.append(_sketch({ip for (ip,) in query.tuples()}))
        coverage = Coverage("rollups and rows" if of_rollups.edges else "rollups", self.scope, True)
        unique = visitors.estimate(visitors.merge(sketches))
        return Visitors(unique, visitors.STANDARD_ERROR, coverage, of_rollups.rounded)

    def _sketches(self, spans: Sequence[Span]) -> list[bytes]:
        model = VisitorRollup
        kept = (0, 1) if self.scope == "all" else (1,)
        found: list[bytes] = []
        for span in spans:
            within = (model.level == span.level, model.bucket >= span.first, model.bucket < span.end)
            query: Any = model.select(model.sketch).where(*within, model.kept.in_(kept)).tuples()
            found += [bytes(sketch) for (sketch,) in query]
        return found


def latency(total: Facts) -> dict[str, float]:
    """The average, the maximum and the percentiles (ms) of requests, whose latencies were asked for."""
    average = round(total.latency_sum / total.requests, 4) if total.requests else 0
    spread = (
        {name: histogram.quantile(total.latencies, q) for name, q in QUANTILES.items()}
        if (total.latencies is not None)
        else {}
    )
    return {"avg_latency": average, "max_latency": total.latency_max} | {
        name: spread.get(name) or 0 for name in QUANTILES
    }


def _latency(question: Question) -> Statistic:
    found = question.facts(latencies=True)
    return Statistic("latency", latency(found.total), question.meta(found, estimated=_quantile_errors(found)))


def _errors(question: Question) -> Statistic:
    found = question.facts("status")
    least = 400 if question.scope == "all" else 0
    counts = {str(status): of.requests for (status,), of in sorted(found.groups.items()) if status >= least}
    return Statistic("errors", counts, question.meta(found))


def _traffic(question: Question) -> Statistic:
    found = question.facts("class")
    total = found.total.requests
    unique = question.visitors(total)
    return Statistic(
        "traffic", {"total_request": total, "unique_ips": unique.unique}, question.meta(found) | _said(unique)
    )


def _summary(question: Question) -> Statistic:
    """All that a page's cards need, and the same of the window before."""
    found = question.facts("class", latencies=True)
    now, unique = _cards(question, found)
    before = Question(question.store, question.window.before(), question.scope, question.selection, question.now)
    previous, _ = _cards(before, before.facts("class", latencies=True))
    said = _said(unique)
    estimated = _quantile_errors(found) | said.pop("estimated", {})
    return Statistic("summary", now | {"previous": previous}, question.meta(found, estimated=estimated) | said)


def _cards(question: Question, found: Found) -> tuple[dict[str, Any], Visitors]:
    total = found.total
    classes = {f"{number}xx": found.groups.get((number,), Facts()).requests for number in range(1, 6)}
    errors = classes["4xx"] + classes["5xx"]
    unique = question.visitors(total.requests)
    cards = {
        "requests": total.requests,
        "requests_per_second": round(total.requests / found.window.seconds, 4),
        "errors": errors,
        "error_rate": round(errors / total.requests, 6) if total.requests else 0,
        "client_errors": classes["4xx"],
        "server_errors": classes["5xx"],
        **latency(total),
        "unique_ips": unique.unique,
        "by_class": classes,
    }
    return cards, unique


def _quantile_errors(found: Found) -> dict[str, float]:
    return dict.fromkeys(QUANTILES, histogram.RELATIVE_ERROR) if found.total.requests else {}


def _said(unique: Visitors) -> dict[str, Any]:
    """What `meta` has to say of a number of visitors."""
    said: dict[str, Any] = {"visitors_coverage": msgspec.to_builtins(unique.coverage)}
    if unique.error:
        said["estimated"] = {"unique_ips": unique.error}
    if unique.rounded:
        said["visitors_rounded_to_seconds"] = unique.rounded
    return said


def _sketch(addresses: set[str]) -> bytes:
    return visitors.sketch(visitors.hashes(pl.Series(list(addresses), dtype=pl.String)))


_STATISTICS: Final[dict[str, Callable[[Question], Statistic]]] = {
    "latency": _latency,
    "errors": _errors,
    "traffic": _traffic,
    "summary": _summary,
}
