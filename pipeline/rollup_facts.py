"""Facts from rollups: which rollup can tell what is asked, and what its buckets say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

from peewee import SQL, Expression, fn

from pipeline.cover import Span
from pipeline.cut import within
from pipeline.entries import among, one_of, route_ids
from pipeline.facts import Asked, Facts, Key
from pipeline.models import RequestRollup, RouteRollup
from pipeline.rollup import METHODS, REQUEST_LEVELS, ROUTE_LEVELS

_CLASSES: Final = {number: frozenset(range(100 * number, 100 * number + 100)) for number in range(1, 6)}
# So many buckets, and no more, are named one by one.
_NAMED: Final = 4_000


class Source(NamedTuple):
    """A rollup, the columns that it can tell apart, and its levels."""

    model: Any
    columns: dict[str, Any]
    levels: tuple[int, ...]


_REQUESTS: Final = Source(
    RequestRollup,
    {"status": RequestRollup.status, "class": RequestRollup.status, "method": RequestRollup.method},
    REQUEST_LEVELS,
)
_ROUTES: Final = Source(RouteRollup, {"class": RouteRollup.status_class, "route": RouteRollup.route}, ROUTE_LEVELS)


def source(asked: Asked) -> Source | None:
    """The rollup that can answer, None where only rows can."""
    selection = asked.selection
    if selection.ip or selection.path or selection.min_latency is not None or selection.max_latency is not None:
        return None
    needed = {*asked.by} - {"time"}
    if selection.status is not None:
        needed.add("class" if _whole_classes(selection.status) is not None else "status")
    if selection.method is not None:
        if not set(selection.method.values) <= {*METHODS}:
            return None  # counted as `other`, together with the rest
        needed.add("method")
    if selection.route is not None:
        needed.add("route")
    for one in (_REQUESTS, _ROUTES):
        if needed <= one.columns.keys():
            return one
    return None


def counted(source: Source, asked: Asked, spans: Sequence[Span]) -> dict[Key, Facts]:
    """What the buckets of these spans come to, by key. Within a transaction of `Store.read`."""
    model = source.model
    key = [_bucket(model, asked) if part == "time" else source.columns[part] for part in asked.by]
    conditions = [_inside(source, asked, spans), *_filters(source, asked)]
    numbers = (model.requests, model.latency_sum, model.latency_max)
    if asked.latencies:
        return _gathered(asked, model.select(*key, *numbers, model.latency).where(*conditions))
    sums = (fn.SUM(model.requests), fn.SUM(model.latency_sum), fn.MAX(model.latency_max), SQL("NULL"))
    query = model.select(*key, *sums).where(*conditions)
    return _gathered(asked, query.group_by(*key) if key else query)


def _gathered(asked: Asked, query: Any) -> dict[Key, Facts]:
    """Facts by key of rows that are a key, the three numbers and a histogram, if any."""
    found: dict[Key, list[tuple[int, int, int, bytes | None]]] = {}
    for *values, requests, total, maximum, latency in query.tuples():
        if requests is not None:
            one = (int(requests), int(total), int(maximum), latency)
            found.setdefault(asked.key(values), []).append(one)
    groups: dict[Key, Facts] = {}
    for at, rows in found.items():
        requests, totals, maxima, latencies = zip(*rows, strict=True)
        blobs = tuple(bytes(blob) for blob in latencies if blob is not None)
        groups[at] = Facts(sum(requests), sum(totals), max(maxima), blobs)
    return groups


def _inside(source: Source, asked: Asked, spans: Sequence[Span]) -> Expression:
    """The condition that a bucket is in one of the spans.

    For some routes each bucket is named, so that they are looked up: all of a stretch would be read with every route.
    """
    model, routes = source.model, asked.selection.route
    few = bool(asked.among) or (routes is not None and not routes.negated)
    if not few or sum((span.end - span.first) // span.level for span in spans) > _NAMED:
        return reduce(or_, (within(model, span) for span in spans))
    named = ((span.level, list(range(span.first, span.end, span.level))) for span in spans)
    return reduce(or_, ((model.level == level) & model.bucket.in_(buckets) for level, buckets in named))


def _filters(source: Source, asked: Asked) -> list[Any]:
    """What of the selection a rollup is asked for: only what it can tell apart."""
    selection, columns = asked.selection, source.columns
    found: list[Any] = [source.model.kept.in_((0, 1) if asked.scope == "all" else (1,))]
    if selection.status is not None:
        classes = _whole_classes(selection.status)
        by_class = "status" not in columns
        found.append(columns["class"].in_(classes) if by_class else among(columns["status"], selection.status))
    if selection.method is not None:
        found.append(one_of(columns["method"], selection.method))
    if selection.route is not None:
        found.append(one_of(columns["route"], route_ids(selection.route)))
    if asked.among:
        found.append(columns[asked.by[0]].in_(asked.among))
    return found


def _whole_classes(statuses: frozenset[int]) -> list[int] | None:
    """The classes whose statuses these are, None where they are not whole ones."""
    touched = sorted({status // 100 for status in statuses})
    whole = frozenset().union(*(_CLASSES[number] for number in touched))
    return touched if whole == statuses else None


def _bucket(model: Any, asked: Asked) -> Any:
    return model.bucket - fn.MOD(model.bucket, asked.step)  # (`%` is LIKE to Peewee)
