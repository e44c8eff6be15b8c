"""Two selections, both required, as one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pipeline.selection import Network, OneOf, Selection
from webapi import networks

T = TypeVar("T")
Combine = Callable[[Sequence[T], Sequence[T]], tuple[T, ...]]


class Contradiction(ValueError):  # noqa: N818 (named as the rest of our errors are)
    """No line can be of both selections; the message names the field."""


def both(one: Selection, other: Selection) -> Selection:
    """The lines that are in both. Raises Contradiction."""
    return Selection(
        status=_statuses(one.status, other.status),
        method=_one_of("method", one.method, other.method, _union, _intersection, _difference),
        route=_one_of("route", one.route, other.route, _union, _intersection, _difference),
        ip=_one_of("ip", one.ip, other.ip, _all_networks, networks.intersection, networks.difference),
        path=tuple(sorted({*one.path, *other.path})),
        **_latencies(one, other),
    )


def _statuses(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    if one is None or other is None:
        return other if one is None else one
    if not (found := one & other):
        raise Contradiction("no line can match: no status is left")
    return found


def _one_of(
    field: str,
    one: OneOf[T] | None,
    other: OneOf[T] | None,
    union: Combine[T],
    intersection: Combine[T],
    difference: Combine[T],
) -> OneOf[T] | None:
    if one is None or other is None:
        return other if one is None else one
    if one.negated and other.negated:
        return OneOf(union(one.values, other.values), negated=True)
    if one.negated:
        one, other = other, one
    combine = difference if other.negated else intersection
    if not (left := combine(one.values, other.values)):
        raise Contradiction(f"no line can match: no {field} is left")
    return OneOf(left)


def _latencies(one: Selection, other: Selection) -> dict[str, int | None]:
    least = max((s.min_latency for s in (one, other) if s.min_latency is not None), default=None)
    most = min((s.max_latency for s in (one, other) if s.max_latency is not None), default=None)
    if least is not None and most is not None and least > most:
        raise Contradiction("no line can match: no latency is left")
    return {"min_latency": least, "max_latency": most}


def _union(some: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({*some, *others}))


def _intersection(some: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({*some} & {*others}))


def _difference(some: Sequence[str], without: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({*some} - {*without}))


def _all_networks(some: Sequence[Network], others: Sequence[Network]) -> networks.Networks:
    return networks.union((*some, *others))
