"""What the web API says of numbers, held against every line that there is, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from flask.testing import FlaskClient
from hypothesis import strategies as st

from pipeline.moment import rfc3339
from pipeline.rollup import METHODS
from pipeline.storage import Store
from tests.stores import Seen, floor, named, put, recount
from tests.webapi.conftest import NOW

MICROSECOND, DAY = timedelta(microseconds=1), timedelta(days=1)
AGES = (timedelta(0), timedelta(hours=1), DAY, 7 * DAY, 9 * DAY, 14 * DAY, 100 * DAY)
WIDTHS = (60, 300, 3600, 86_400)

_edges = [NOW - age for age in AGES]
_edges += [floor(edge, width) for edge in _edges for width in WIDTHS]
_nearby = st.sampled_from(
    [timedelta(0), MICROSECOND, -MICROSECOND, timedelta(seconds=59), timedelta(minutes=1), timedelta(minutes=-31)]
)
times = st.one_of(
    st.builds(lambda edge, by: edge + by, st.sampled_from(_edges), _nearby),
    st.timedeltas(timedelta(minutes=-10), timedelta(hours=3)).map(lambda back: NOW - back),
    st.timedeltas(timedelta(0), 120 * DAY).map(lambda back: NOW - back),
)
_paths = ("/", "/products/1", "/products/22", "/products/1?q=1", "/about", "/users/7/orders")
lines = st.builds(
    Seen,
    at=times,
    ip=st.one_of(st.integers(1, 5).map(lambda n: f"10.0.0.{n}"), st.integers(1, 5).map(lambda n: f"2001:db8::{n}")),
    method=st.sampled_from(["GET", "GET", "POST", "PROPFIND", "LOCK"]),
    path=st.sampled_from(_paths),
    status=st.sampled_from([100, 200, 200, 204, 301, 404, 404, 500, 503, 599]),
    latency_ms=st.one_of(st.integers(0, 60), st.integers(0, 5000), st.just(2**31 - 1)),
    rule=st.just(frozenset({200})),
    named=st.just(True),
)
_rules = st.sampled_from([frozenset({200}), frozenset({200}), frozenset({404}), frozenset[int]()])

STATUS = ("404", "200", "4xx", "5xx,404", "4xx,5xx", "!200", "!2xx", "!4xx,500", "599,100", "!1xx,2xx,404")
METHOD = ("GET", "post", "GET,POST", "!GET", "PROPFIND", "!PROPFIND", "GET,LOCK", "DELETE")
ROUTE = ("/", "/products/{id}", "/about,/products/{id}", "other", "!other", "!/products/{id}", "/about,other", "/never")
filters = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(texts)
        for name, texts in zip(("status", "method", "route"), (STATUS, METHOD, ROUTE), strict=True)
    },
)
windows = st.tuples(times, times).map(sorted).filter(lambda pair: pair[1] != NOW)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[list[Seen]], int]:
    """Lines in the batches that they come in, each with its rule, and how many routes a day has room for."""
    found = draw(st.lists(lines, max_size=30))
    cuts = sorted(draw(st.lists(st.integers(0, len(found)), max_size=3)))
    split = [found[first:after] for first, after in pairwise([0, *cuts, len(found)]) if first < after]
    ruled = []
    for batch in split:
        rule = draw(_rules)
        ruled.append([line._replace(rule=rule) for line in batch])
    most = draw(st.sampled_from([1, 2, 1000]))
    return named(ruled, most), most


def fill(store: Store, found: tuple[list[list[Seen]], int]) -> list[Seen]:
    """Stores batches, and returns their lines."""
    for batch in found[0]:
        put(store, batch, most=found[1])
    return [line for batch in found[0] for line in batch]


def passes(query: dict[str, str], line: Seen) -> bool:
    """Whether a line is one of those that a query is about."""

    def one_of(text: str, fits: Callable[[str], bool]) -> bool:
        return any(map(fits, text.removeprefix("!").split(","))) != text.startswith("!")

    status = str(line.status)
    return (
        one_of(query.get("status", status), lambda wanted: wanted in (status, f"{status[0]}xx"))
        and one_of(query.get("method", line.method), lambda wanted: wanted.upper() == line.method)
        and one_of(query.get("route", line.route), lambda wanted: wanted == line.route)
    )


def is_counted(query: dict[str, str], *by: str) -> bool:
    """Whether a rollup has counted what a query asks for: by status and method, or by route and class of status."""
    asked = {*by, *(name for name in ("method", "route") if name in query)}
    if not {*query.get("method", "GET").upper().removeprefix("!").split(",")} <= {*METHODS}:
        return False
    if any(not part.endswith("xx") for part in query.get("status", "5xx").removeprefix("!").split(",")):
        asked.add("status")
    return not ("route" in asked and asked & {"status", "method"})


class Answer:
    """An answer and the lines that it says it is about, after a look at what else it says of itself."""

    def __init__(self, api: FlaskClient, page: str, query: dict[str, str], found: Sequence[Seen]) -> None:
        reply = api.get(page, query_string=query)
        assert reply.status_code == 200, reply.json
        self.json: dict[str, Any] = reply.json
        self.meta = self.json["meta"]
        self.query = query
        self.start, self.stop = Answer.window(self.meta)
        first, last = (datetime.fromisoformat(query[end]) for end in ("from", "to"))
        rounded = timedelta(seconds=self.meta.get("rounded_to_seconds", 0))
        assert first - rounded <= self.start <= first <= last <= self.stop <= last + rounded
        if not rounded:
            assert (self.start, self.stop) == (first, last)
        assert self.meta["as_of"] == rfc3339(last)
        assert self.meta["computed_at"] == rfc3339(NOW)
        assert self.meta["scope"] == query["scope"]
        self.lines = Answer.inside(self.meta, query, found)

    @staticmethod
    def window(meta: dict[str, Any]) -> tuple[datetime, datetime]:
        """What an answer says that its numbers are of."""
        start, stop = (datetime.fromisoformat(meta["window"][end]) for end in ("from", "to"))
        return start, stop

    @staticmethod
    def inside(meta: dict[str, Any], query: dict[str, str], found: Sequence[Seen]) -> list[Seen]:
        """The lines that an answer is about."""
        start, stop = Answer.window(meta)
        return [
            line
            for line in found
            if start <= line.at <= stop and passes(query, line) and (line.kept or meta["coverage"]["lines"] == "all")
        ]

    def of_rollups(self, *by: str) -> None:
        """Holds where the numbers come from against where they can come from, with all rows there."""
        coverage = self.meta["coverage"]
        if is_counted(self.query, *by):
            assert coverage == {"source": coverage["source"], "lines": self.query["scope"], "complete": True}
            assert coverage["source"] in ("rollups", "rollups and rows")
        else:
            assert coverage == {"source": "rows", "lines": "stored", "complete": True}


def asked(query: dict[str, str], window: Sequence[datetime], scope: str) -> dict[str, str]:
    """The parameters of filters, a window and a scope."""
    return query | {"from": rfc3339(window[0]), "to": rfc3339(window[1]), "scope": scope}


def exact(kind: str, found: Sequence[Seen], start: datetime, stop: datetime, scope: str) -> dict[str, Any]:
    """A statistic of lines that are all to be counted."""
    expected = recount([line._replace(rule=frozenset()) for line in found], kind, start, stop, "stored")
    return (
        {status: n for status, n in expected.items() if scope == "stored" or status >= "4"}
        if kind == "errors"
        else expected
    )


def percentile(found: Sequence[Seen], hundredths: int) -> int:
    """Nearest rank."""
    ranked = sorted(line.latency_ms for line in found)
    return ranked[-(-hundredths * len(ranked) // 100) - 1]


def near(found: float, expected: float) -> bool:
    """Whether a percentile is told to one per cent."""
    return abs(found - expected) <= 0.0100001 * expected


def is_estimated(found: Sequence[Seen]) -> bool:
    """Whether percentiles are told less than exactly."""
    return any(line.latency_ms > 49 for line in found)
