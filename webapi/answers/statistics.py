"""What is answered of numbers: figures, points, rankings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pipeline.facts import Coverage
from webapi.answers.quantities import Count, Milliseconds, Range, Scope, Share, Time, Window


class Before(msgspec.Struct, frozen=True):
    """What the figures of the window before describe, and how exactly."""

    window: Window
    coverage: Coverage
    rounded_to_seconds: Count | UnsetType = UNSET
    visitors_rounded_to_seconds: Count | UnsetType = UNSET
    visitors_coverage: Coverage | UnsetType = UNSET


class StatsMeta(msgspec.Struct, frozen=True):
    """What numbers describe, when they were computed, and how exactly.

    `window` is what they cover, `as_of` its asked-for end. `estimated` has the relative error of each number that is
    not exact. Everything received up to `data_to` is counted, `lag_seconds` ago; null where that is not known.
    """

    range: Range | None
    scope: Scope
    window: Window
    as_of: Time
    computed_at: Time
    data_to: Time | None
    lag_seconds: Annotated[float, Meta(ge=0)] | None
    coverage: Coverage
    estimated: dict[str, float] | UnsetType = UNSET
    rounded_to_seconds: Count | UnsetType = UNSET
    visitors_rounded_to_seconds: Count | UnsetType = UNSET
    visitors_coverage: Coverage | UnsetType = UNSET
    previous: Before | UnsetType = UNSET


class Latency(msgspec.Struct, frozen=True):
    """In milliseconds; zeros where there was no request."""

    avg_latency: Milliseconds
    max_latency: Milliseconds
    p50_latency: Milliseconds
    p90_latency: Milliseconds
    p95_latency: Milliseconds
    p99_latency: Milliseconds


class Traffic(msgspec.Struct, frozen=True):
    """How many requests, from how many addresses."""

    total_request: Count
    unique_ips: Count


def _class(name: str) -> str:
    return name.removeprefix("of_")


class Classes(msgspec.Struct, frozen=True, rename=_class):
    """Requests by class of status."""

    of_1xx: Count
    of_2xx: Count
    of_3xx: Count
    of_4xx: Count
    of_5xx: Count


class Cards(Latency, frozen=True):
    """A window's figures; `errors` are 4xx (`client_errors`) and 5xx (`server_errors`)."""

    requests: Count
    requests_per_second: Annotated[float, Meta(ge=0)]
    errors: Count
    error_rate: Share
    client_errors: Count
    server_errors: Count
    unique_ips: Count
    by_class: Classes


class Summary(Cards, frozen=True):
    """A window's figures, and those of the window before it, which is as long."""

    previous: Cards


class StatsAnswer(msgspec.Struct, frozen=True):
    """A statistic; the shape of `data` depends on `type`: `errors` counts by status."""

    type: Literal["latency", "errors", "traffic", "summary"]
    data: dict[str, Any]
    meta: StatsMeta


class Point(msgspec.Struct, frozen=True, rename=_class):
    """What one step holds: `time` is its beginning. Numbers depend on `metric` and `by`."""

    time: Time
    of_1xx: Count | UnsetType = UNSET
    of_2xx: Count | UnsetType = UNSET
    of_3xx: Count | UnsetType = UNSET
    of_4xx: Count | UnsetType = UNSET
    of_5xx: Count | UnsetType = UNSET
    requests: Count | UnsetType = UNSET
    errors: Count | UnsetType = UNSET
    error_rate: Share | UnsetType = UNSET
    avg_latency: Milliseconds | UnsetType = UNSET
    max_latency: Milliseconds | UnsetType = UNSET
    p50_latency: Milliseconds | UnsetType = UNSET
    p90_latency: Milliseconds | UnsetType = UNSET
    p95_latency: Milliseconds | UnsetType = UNSET
    p99_latency: Milliseconds | UnsetType = UNSET
    unique_ips: Count | UnsetType | None = UNSET


class SeriesAnswer(msgspec.Struct, frozen=True):
    """Points, oldest first, none left out."""

    metric: Literal["requests", "errors", "latency", "visitors"]
    step_seconds: Annotated[int, Meta(ge=60)]
    data: tuple[Point, ...]
    meta: StatsMeta


class Rest(msgspec.Struct, frozen=True):
    """What is not named, together: how many `keys`, and their share of all requests."""

    keys: Count
    requests: Count
    errors: Count
    error_rate: Share
    p95_latency: Milliseconds | None
    share: Share


class Place(msgspec.Struct, frozen=True):
    """One of what is ranked; `share` is of all requests, `p95_latency` null where it is not known."""

    key: str
    requests: Count
    errors: Count
    error_rate: Share
    p95_latency: Milliseconds | None
    share: Share


class TopAnswer(msgspec.Struct, frozen=True):
    """What is ranked, the greatest first, and `other` for the rest."""

    by: Literal["route", "path", "status", "method", "ip"]
    sort: Literal["requests", "errors", "error_rate", "p95"]
    data: tuple[Place, ...]
    other: Rest
    meta: StatsMeta
