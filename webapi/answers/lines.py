"""What is answered of stored lines."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pipeline.facts import Coverage
from webapi.answers.quantities import Count, Time

_CONTRACT = {
    "timestamp": "Timestamp",
    "ip": "IP",
    "method": "Method",
    "path": "Path",
    "status": "Status",
    "latency_ms": "LatencyMs",
    "route": "Route",
}


class LogLine(msgspec.Struct, frozen=True, rename=_CONTRACT):
    """A stored line; `Route` is the template of its path, or `other`."""

    id: Annotated[int, Meta(ge=1)]
    timestamp: Time
    ip: str
    method: str
    path: str
    status: Annotated[int, Meta(ge=100, le=599)]
    latency_ms: Count
    route: str


class LogsMeta(msgspec.Struct, frozen=True):
    """`next` is the cursor of the next page, null on the last; `total_is` says how `total` is meant."""

    total: Count
    total_is: Literal["exact", "at_least"]
    limit: Count
    offset: Count
    next: str | None
    coverage: Coverage


class LogsAnswer(msgspec.Struct, frozen=True):
    """A page of lines, newest first."""

    data: tuple[LogLine, ...]
    meta: LogsMeta


class LineAnswer(msgspec.Struct, frozen=True):
    """One line."""

    data: LogLine
