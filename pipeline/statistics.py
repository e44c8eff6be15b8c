"""The statistics, computed from the store. Everything of one answer is read in one snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from pipeline import facts, freshness, histogram, reader, row_facts, visitors
from pipeline.cover import Span
from pipeline.cut import cut, inside, retained
from pipeline.entries import Piece, Scan, matching
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
    budget = facts.BUDGET / PARTS.get(kind, 1)
    return store.read(lambda: _STATISTICS[kind](Question(store, window, scope, selection, at, budget)))


class Question:
    """What a statistic is asked of: the lines of a selection in a window. Within a transaction.

    `budget` is how many seconds each reading of rows may take, with finding them; by default all that there are.
    """

    def __init__(
        self,
        store: Store,
        window: Window,
        scope: str,
        selection: Selection,
        now: datetime,
        budget: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.window = window
        self.scope = scope
        self.selection = selection
        self.now = now
        self.budget = facts.BUDGET if budget is None else budget
        self.clock = clock

    def before(self) -> Question:
        """The same of the window before."""
        return Question(self.store, self.window.before(), self.scope, self.selection, self.now, self.budget, self.clock)

    def facts(self, *by: str, latencies: bool = False, step: int = 60) -> Found:
        """The facts by the parts of a key (`facts.Asked`)."""
        asked = Asked(self.window, self.selection, self.scope, by, latencies, step, budget=self.budget)
        return reader.read(asked, self.now.timestamp(), self.clock)

    def visitors(self, found: Found) -> Visitors:
        """How many addresses the requests of `found` came from: of rows, of those that were read for it."""
        if found.seen:
            again = Scan(None, self.clock() + self.budget, clock=self.clock, among=reader.pieces(found))
            return Visitors(*self._addresses(again), row_facts.coverage(again, found.coverage.share))
        everything = self.selection == EVERYTHING
        if everything and (self.scope != "stored" or found.total.requests > EXACT_ROWS):
            return self._visitors_of_rollups()
        deadline = self.clock() + (facts.BUDGET if everything else self.budget)
        there = retained([self.window], self.now.timestamp())
        if everything and there < 1:
            return self._visitors_of_rollups()
        scan = Scan(self.window, deadline, clock=self.clock)
        return Visitors(*self._addresses(scan), row_facts.coverage(scan, there))

    def meta(self, found: Found, **more: Any) -> dict[str, Any]:
        """What every answer says of itself."""
        meta: dict[str, Any] = {
            "scope": self.scope,
            "window": _ends(self.told(found.window)),
            "as_of": rfc3339(self.window.last),
            "computed_at": rfc3339(self.now),
            **freshness.told(freshness.counted_up_to(self.store), self.now),
            "coverage": msgspec.to_builtins(found.coverage),
        }
        if found.rounded:
            meta["rounded_to_seconds"] = found.rounded
        return meta | more

    def told(self, window: Window) -> Window:
        """What was counted as it is told: what ends now does not end with its bucket, or it would never be over. Of
        clocks that are ahead, lines dated later within that bucket are counted, too.
        """
        return Window.of(window.first, self.now) if self.window.last == self.now else window

    def _addresses(self, pieces: Iterable[Piece]) -> tuple[int, float]:
        """How many addresses the rows have, and the error of that."""
        condition = matching(self.selection, self.window)
        addresses: set[str] = set()
        sketch, error = visitors.EMPTY, 0.0
        for piece in pieces:
            query: Any = LogEntry.select(LogEntry.ip).where(piece.holds(), condition).distinct().tuples()
            addresses.update(ip for (ip,) in query)
            if len(addresses) > EXACT_ROWS:
                sketch, error = visitors.merge((sketch, visitors.sketch(addresses))), visitors.STANDARD_ERROR
                addresses = set()
        unique = visitors.estimate(visitors.merge((sketch, visitors.sketch(addresses)))) if error else len(addresses)
        return unique, error

    def _visitors_of_rollups(self) -> Visitors:
        of_rollups = cut(self.window, VISITOR_LEVELS, self.now.timestamp(), self.scope == "stored", self.clock)
        addresses: set[str] = set()
        for edge, scan in of_rollups.edges:
            for piece in scan:
                query: Any = LogEntry.select(LogEntry.ip).where(piece.holds(), matching(EVERYTHING, edge)).distinct()
                addresses.update(ip for (ip,) in query.tuples())
        sketches = [*self._sketches(of_rollups.spans), visitors.sketch(addresses)]
        coverage = Coverage("rollups and rows" if of_rollups.edges else "rollups", self.scope, True)
        unique = visitors.estimate(visitors.merge(sketches))
        return Visitors(unique, visitors.STANDARD_ERROR, coverage, of_rollups.rounded)

    def _sketches(self, spans: Sequence[Span]) -> list[bytes]:
        if not spans:
            return []
        model = VisitorRollup
        kept = (0, 1) if self.scope == "all" else (1,)
        query: Any = model.select(model.sketch).where(inside(model, spans), model.kept.in_(kept)).tuples()
        return [bytes(sketch) for (sketch,) in query]


def latency(total: Facts) -> dict[str, float]:
    """The average, the maximum and the percentiles (ms) of requests, whose latencies were asked for."""
    average = round(total.latency_sum / total.requests, 4) if total.requests else 0
    spread = histogram.totals(total.latencies)
    quantiles = (told or 0 for told in histogram.quantile(spread, *QUANTILES.values()))
    return {"avg_latency": average, "max_latency": total.latency_max, **dict(zip(QUANTILES, quantiles, strict=True))}


def quantile_errors(total: Facts) -> dict[str, float]:
    """The relative errors of the percentiles of requests; of what is told exactly none."""
    return dict.fromkeys(QUANTILES, histogram.RELATIVE_ERROR) if total.latency_max > histogram.EXACT else {}


def _latency(question: Question) -> Statistic:
    found = question.facts(latencies=True)
    total = found.total
    return Statistic("latency", latency(total), question.meta(found) | estimated(quantile_errors(total)))


def _errors(question: Question) -> Statistic:
    found = question.facts("status")
    least = 400 if question.scope == "all" else 0
    counts = {str(status): of.requests for (status,), of in sorted(found.groups.items()) if status >= least}
    return Statistic("errors", counts, question.meta(found))


def _traffic(question: Question) -> Statistic:
    found = question.facts("class")
    total = found.total.requests
    unique = question.visitors(found)
    meta = question.meta(found) | _said(unique) | estimated({"unique_ips": unique.error} if unique.error else {})
    return Statistic("traffic", {"total_request": total, "unique_ips": unique.unique}, meta)


def summary(question: Question) -> Statistic:
    """All that a page's cards need, and the same of the window before. Within a transaction."""
    found = question.facts("class", latencies=True)
    now, unique = _cards(question, found, question.told(found.window))
    earlier = question.before()
    found_before = earlier.facts("class", latencies=True)
    before, unique_before = _cards(earlier, found_before, found_before.window)
    errors = quantile_errors(facts.together((found.total, found_before.total)))
    if max(unique.error, unique_before.error):
        errors["unique_ips"] = max(unique.error, unique_before.error)
    previous = {"window": _ends(found_before.window), "coverage": msgspec.to_builtins(found_before.coverage)}
    if found_before.rounded:
        previous["rounded_to_seconds"] = found_before.rounded
    previous |= _said(unique_before)
    meta = question.meta(found, previous=previous) | _said(unique) | estimated(errors)
    return Statistic("summary", now | {"previous": before}, meta)


def _cards(question: Question, found: Found, told: Window) -> tuple[dict[str, Any], Visitors]:
    total = found.total
    classes = {f"{number}xx": found.groups.get((number,), Facts()).requests for number in range(1, 6)}
    errors = classes["4xx"] + classes["5xx"]
    unique, seconds = question.visitors(found), told.seconds
    cards = {
        "requests": total.requests,
        "requests_per_second": round(total.requests / seconds, 4) if seconds else 0,
        "errors": errors,
        "error_rate": round(errors / total.requests, 6) if total.requests else 0,
        "client_errors": classes["4xx"],
        "server_errors": classes["5xx"],
        **latency(total),
        "unique_ips": unique.unique,
        "by_class": classes,
    }
    return cards, unique


def estimated(errors: dict[str, float]) -> dict[str, Any]:
    """What `meta` has to say of numbers that are not exact, by name with their relative errors."""
    return {"estimated": errors} if errors else {}


def _said(unique: Visitors) -> dict[str, Any]:
    """What `meta` has to say of a number of visitors."""
    said: dict[str, Any] = {"visitors_coverage": msgspec.to_builtins(unique.coverage)}
    if unique.rounded:
        said["visitors_rounded_to_seconds"] = unique.rounded
    return said


def _ends(window: Window) -> dict[str, str]:
    return {"from": rfc3339(window.first), "to": rfc3339(window.last)}


_STATISTICS: Final[dict[str, Callable[[Question], Statistic]]] = {
    "latency": _latency,
    "errors": _errors,
    "traffic": _traffic,
    "summary": summary,
}

# So many readings of rows share the time that there is.
PARTS: Final = {"traffic": 2, "summary": 4}
