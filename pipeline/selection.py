"""Which lines a question is about. Pure."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class OneOf(msgspec.Struct, Generic[T], frozen=True):
    """Lines whose value is one of `values`, or with `negated` none of them; never empty, sorted, without repetition."""

    values: tuple[T, ...]
    negated: bool = False


class Network(msgspec.Struct, frozen=True, order=True):
    """Neighbouring addresses of one family, both included, packed in network order: 4 bytes each, or 16."""

    first: bytes
    last: bytes


class Substring(msgspec.Struct, frozen=True, order=True):
    """Paths that contain `text`, or with `negated` do not; case counts, nothing in it is a wildcard."""

    text: str
    negated: bool = False


class Selection(msgspec.Struct, frozen=True):
    """All that is said must hold of a line; what is None or empty says nothing. Latencies are ms, both included."""

    status: frozenset[int] | None = None  # those allowed; negations are resolved, the statuses are 100 to 599
    method: OneOf[str] | None = None  # upper case
    route: OneOf[str] | None = None  # templates as `pipeline.routes` writes them, or `other`
    ip: OneOf[Network] | None = None
    path: tuple[Substring, ...] = ()
    min_latency: int | None = None
    max_latency: int | None = None


EVERYTHING = Selection()
