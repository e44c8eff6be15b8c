"""What there is most of: routes, paths, statuses, methods or addresses, ranked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipeline import histogram
from pipeline.facts import BUDGET, Asked, Facts, read
from pipeline.models import Route
from pipeline.routes import OTHER
from pipeline.statistics import QUANTILES, Question
from webapi.questions import TopQuestion

# Of these there are so few that the latencies of all are read at once.
_FEW: Final = ("status", "method")


class _Ranked:
    """One of the keys: its requests, errors, and how its latencies are spread."""

    def __init__(self, key: Any) -> None:
        self.key = key
        self.all = Facts()
        self.errors = 0

    @property
    def error_rate(self) -> float:
        return round(self.errors / self.all.requests, 6) if self.all.requests else 0

    @property
    def p95(self) -> float | None:
        spread = self.all.latencies
        return None if spread is None else histogram.quantile(spread, QUANTILES["p95_latency"])


_SORTS: Final[dict[str, Callable[[_Ranked], float]]] = {
    "requests": lambda one: one.all.requests,
    "errors": lambda one: one.errors,
    "error_rate": lambda one: one.error_rate,
    "p95": lambda one: one.p95 or 0,
}


def top(asked: TopQuestion, question: Question) -> dict[str, Any]:
    """The first of a ranking, what the rest come to, and what was read for it. Within a transaction."""
    at_once = asked.sort == "p95" or asked.by in _FEW
    budget = BUDGET if at_once else BUDGET / 2
    asking = Asked(question.window, question.selection, question.scope, (asked.by, "class"), at_once, budget=budget)
    found = read(asking, question.now.timestamp())
    ranked: dict[Any, _Ranked] = {}
    for (key, number), of in found.groups.items():
        one = ranked.setdefault(key, _Ranked(key))
        one.all += of
        one.errors += of.requests if number >= 4 else 0
    first = sorted(ranked.values(), key=lambda one: (-_SORTS[asked.sort](one), -one.all.requests, str(one.key)))
    told, rest = first[: asked.limit], first[asked.limit :]
    if not at_once and told:
        keys = tuple(one.key for one in told)
        again = asking._replace(by=(asked.by,), latencies=True, among=keys)
        more = read(again, question.now.timestamp())
        for one in told:
            one.all = one.all._replace(latencies=more.groups.get((one.key,), Facts()).latencies)
    requests = found.total.requests
    names = _names(asked.by, [one.key for one in told])
    return {
        "by": asked.by,
        "sort": asked.sort,
        "data": [_told(one, names[one.key], requests) for one in told],
        "other": {
            "keys": len(rest),
            "requests": sum(one.all.requests for one in rest),
            "errors": sum(one.errors for one in rest),
            "share": _share(sum(one.all.requests for one in rest), requests),
        },
        "meta": question.meta(found, estimated={"p95_latency": histogram.RELATIVE_ERROR}) | {"range": asked.range_name},
    }


def _told(one: _Ranked, name: str, requests: int) -> dict[str, Any]:
    return {
        "key": name,
        "requests": one.all.requests,
        "errors": one.errors,
        "error_rate": one.error_rate,
        "p95_latency": one.p95,
        "share": _share(one.all.requests, requests),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0


def _names(by: str, keys: list[Any]) -> dict[Any, str]:
    """What the keys are called."""
    if by != "route":
        return {key: str(key) for key in keys}
    found: Any = Route.select(Route.id, Route.template).where(Route.id.in_(keys)).tuples()
    return {0: OTHER} | dict(found)
