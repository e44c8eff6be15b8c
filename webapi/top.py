"""What there is most of: routes, paths, statuses, methods or addresses, ranked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipeline import facts, histogram, reader
from pipeline.entries import route_names
from pipeline.facts import Asked, Facts
from pipeline.histogram import Counts
from pipeline.statistics import QUANTILES, Question, estimated, quantile_errors
from webapi.questions import TopQuestion

# Of these there are so few that the latencies of all are read at once.
_FEW: Final = ("status", "method")
_UNKNOWN: Final = histogram.totals(())


class _Ranked:
    """One of the keys: its requests, how many of them are errors, and how its latencies are spread where known."""

    def __init__(self, key: Any) -> None:
        self.key = key
        self.all = Facts()
        self.errors = 0
        self.spread = _UNKNOWN
        self.p95: float | None = None

    def weigh(self, spread: Counts) -> None:
        """Takes down how its latencies are spread, and their 95th percentile."""
        self.spread = spread
        (self.p95,) = histogram.quantile(spread, QUANTILES["p95_latency"])


_SORTS: Final[dict[str, Callable[[_Ranked], float]]] = {
    "requests": lambda one: one.all.requests,
    "errors": lambda one: one.errors,
    "error_rate": lambda one: _ratio(one.errors, one.all.requests),
    "p95": lambda one: one.p95 or 0,
}


def top(asked: TopQuestion, question: Question) -> dict[str, Any]:
    """The first of a ranking, what the rest come to, and what was read for it. Within a transaction."""
    at_once = asked.sort == "p95" or asked.by in _FEW
    budget = question.budget if at_once else question.budget / 2
    asking = Asked(question.window, question.selection, question.scope, (asked.by, "class"), at_once, budget=budget)
    found = reader.read(asking, question.now.timestamp(), question.clock)
    ranked: dict[Any, _Ranked] = {}
    for (key, number), of in found.groups.items():
        one = ranked.setdefault(key, _Ranked(key))
        one.all += of
        one.errors += of.requests if number >= 4 else 0
    if at_once:
        # Each by itself: summing the histograms of all at once takes five times as long.
        for one in ranked.values():
            one.weigh(histogram.totals(one.all.latencies))
    first = sorted(ranked.values(), key=lambda one: (-_SORTS[asked.sort](one), -one.all.requests, one.key))
    told, rest = first[: asked.limit], first[asked.limit :]
    if not at_once and told:
        again = asking._replace(by=(asked.by,), latencies=True, among=tuple(one.key for one in told))
        more = reader.read_again(again, found, question.now.timestamp(), question.clock)
        for one in told:
            one.weigh(histogram.totals(more.get((one.key,), Facts()).latencies))
    total, names = found.total, _names(asked.by, [one.key for one in told])
    others = _Ranked("other")
    others.all = facts.together(one.all for one in rest)
    others.errors = sum(one.errors for one in rest)
    if at_once:
        others.weigh(sum((one.spread for one in rest), _UNKNOWN))
    meta = question.meta(found, range=asked.range_name)
    return {
        "by": asked.by,
        "sort": asked.sort,
        "data": [{"key": names[one.key], **_told(one, total.requests)} for one in told],
        "other": {"keys": len(rest), **_told(others, total.requests)},
        "meta": meta | estimated({"p95_latency": histogram.RELATIVE_ERROR} if quantile_errors(total) else {}),
    }


def _told(one: _Ranked, requests: int) -> dict[str, Any]:
    return {
        "requests": one.all.requests,
        "errors": one.errors,
        "error_rate": _ratio(one.errors, one.all.requests),
        "p95_latency": one.p95,
        "share": _ratio(one.all.requests, requests),
    }


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0


def _names(by: str, keys: list[Any]) -> dict[Any, str]:
    """What the keys are called."""
    return route_names(keys) if by == "route" else {key: str(key) for key in keys}
