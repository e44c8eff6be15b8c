"""Facts from rollups: which rollup can tell what is asked, and what its buckets say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

from peewee import SQL, Expression, MySQLDatabase, NodeList, fn

from pipeline.cover import Span
from pipeline.cut import inside
from pipeline.database import fetched
from pipeline.entries import among, one_of, route_ids
from pipeline.facts import Asked, Facts, Key, add
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
    conditions = [_of_buckets(source, asked, spans), *_filters(source, asked)]
    rows = _summed(model, key, conditions, asked.latencies)
    if asked.latencies and any(length is not None and len(joined or b"") != length for *_, joined, length in rows):
        rows = _one_by_one(model, key, conditions)
    groups: dict[Key, Facts] = {}
    for row in rows:
        values, (requests, total, maximum, *histograms) = row[: len(key)], row[len(key) :]
        if requests is not None:
            latencies = tuple(bytes(histogram) for histogram in histograms[:1])
            add(groups, {asked.key(values): Facts(requests, total, maximum, latencies)})
    return groups


def _summed(model: Any, key: Sequence[Any], conditions: Sequence[Any], latencies: bool) -> list[Any]:
    """A row a group: its key, the three numbers and, of `latencies`, its histograms in one and how long they are.

    Histograms one behind the other are their sum; MySQL cuts them at a length (`group_concat_max_len`).
    """
    sums = [fn.SUM(model.requests), fn.SUM(model.latency_sum), fn.MAX(model.latency_max)]
    if latencies:
        is_mysql = isinstance(model._meta.database, MySQLDatabase)
        joined = NodeList((SQL("GROUP_CONCAT("), model.latency, SQL("SEPARATOR '')")))
        sums += [joined if is_mysql else fn.CONCATENATED(model.latency), fn.SUM(fn.LENGTH(model.latency))]
    query = model.select(*key, *sums).where(*conditions)
    return fetched(query.group_by(*key) if key else query)


def _one_by_one(model: Any, key: Sequence[Any], conditions: Sequence[Any]) -> list[Any]:
    """The same, a row a bucket, whatever their histograms come to."""
    numbers = (model.requests, model.latency_sum, model.latency_max)
    return fetched(model.select(*key, *numbers, model.latency).where(*conditions))


def _of_buckets(source: Source, asked: Asked, spans: Sequence[Span]) -> Expression:
    """The condition that a bucket is in one of the spans.

    For some routes each bucket is named, so that they are looked up: all of a stretch would be read with every route.
    """
    model, routes = source.model, asked.selection.route
    few = bool(asked.among) or (routes is not None and not routes.negated)
    if not few or sum((span.end - span.first) // span.level for span in spans) > _NAMED:
        return inside(model, spans)
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
