"""What the web API answers: the shapes of its JSON, as its document describes them.

A key that is not always there is UNSET where it is not.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pipeline.facts import Coverage
from pipeline.ledger import NotPlanned
from pipeline.problem import Problem
from webapi.hops import Hop, Process, Trouble

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Milliseconds = Annotated[float, Meta(ge=0)]
Scope = Literal["stored", "all"]
Range = Literal["15m", "hour", "day", "week"]


class Window(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """Both ends are included."""

    first: Time
    last: Time


# --- Lines -------------------------------------------------------------------------------------------------------

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


# --- Statistics --------------------------------------------------------------------------------------------------


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


# --- The ledger --------------------------------------------------------------------------------------------------


class Minutes(msgspec.Struct, frozen=True, rename={"first": "from"}):
    """Whole minutes of planning time, null for no end."""

    first: Time | None
    before: Time | None


class LedgerMeta(msgspec.Struct, frozen=True):
    """Which minutes were asked for."""

    minutes: Minutes


class Sums(msgspec.Struct, frozen=True):
    """Lines; received = stored + discarded + rejected + duplicate + lost + pending where it is `balanced`."""

    received: Count
    stored: Count
    discarded: Count
    rejected: Count
    duplicate: Count
    lost: Count
    pending: Count
    balanced: bool


class LedgerAnswer(Sums, frozen=True):
    """Where every line is; `not_planned` is beside the sums and not in them."""

    not_planned: tuple[NotPlanned, ...]
    meta: LedgerMeta


class Day(Sums, frozen=True):
    """The lines that were planned on one day (UTC)."""

    day: Annotated[str, Meta(extra_json_schema={"format": "date"})]


class DaysAnswer(msgspec.Struct, frozen=True):
    """Days, oldest first."""

    data: tuple[Day, ...]
    balanced: bool
    meta: LedgerMeta


# --- The overview ------------------------------------------------------------------------------------------------


class PlannedLines(Sums, frozen=True):
    """Where the lines are that were planned in a window's minutes."""

    not_planned: tuple[NotPlanned, ...]


class Broken(msgspec.Struct, frozen=True):
    """A part that cannot be told now, and why."""

    problem: Problem


PARTS: Final = {
    "summary": StatsAnswer,
    "requests": SeriesAnswer,
    "latency": SeriesAnswer,
    "visitors": SeriesAnswer,
    "routes": TopAnswer,
    "statuses": TopAnswer,
    "methods": TopAnswer,
    "addresses": TopAnswer,
    "ledger": PlannedLines,
}
"""What each part of the overview is where it is not Broken: no type of msgspec's says that."""


class OverviewAnswer(msgspec.Struct, frozen=True):
    """What a page's first view shows; each part is as its own endpoint tells it, or has a `problem`.

    `received_ever` says whether there ever was a line. Of visitors over time there is nothing where lines are filtered.
    """

    window: Window
    range: Range | None
    scope: Scope
    as_of: Time
    data_to: Time | None
    lag_seconds: Annotated[float, Meta(ge=0)] | None
    received_ever: bool
    summary: dict[str, Any]
    requests: dict[str, Any]
    latency: dict[str, Any]
    routes: dict[str, Any]
    statuses: dict[str, Any]
    methods: dict[str, Any]
    addresses: dict[str, Any]
    ledger: dict[str, Any]
    visitors: dict[str, Any] | UnsetType = UNSET


class Kept(msgspec.Struct, frozen=True):
    """How many lines a rule stores, and which share of all that is."""

    stored: Count
    share: Share


class StatusKept(msgspec.Struct, frozen=True):
    """The lines of a status: how many were stored, and how many would have been."""

    status: Annotated[int, Meta(ge=100, le=599)]
    requests: Count
    stored: Count
    would_be_stored: Count


class PreviewAnswer(msgspec.Struct, frozen=True):
    """What was stored of the last day's lines, by whichever rule held then, and what another rule would have stored."""

    requests: Count
    present: Kept
    proposed: Kept
    by_status: tuple[StatusKept, ...]
    meta: StatsMeta


# --- The pipeline itself -----------------------------------------------------------------------------------------


class OldestPending(msgspec.Struct, frozen=True):
    """The batch that has waited for longest since Kafka had its first record."""

    seconds: Annotated[float, Meta(ge=0)]
    lines: Count
    partition: Count
    attempts: Count


class LettersCount(msgspec.Struct, frozen=True):
    """Dead letters by reason, of the newest 100,000."""

    by_reason: dict[str, Count]
    total: Count


class ProcessShown(Process, frozen=True):
    """A process that said something within ten seconds, and whether it goes on to do so."""

    alive: bool


class FlowAnswer(msgspec.Struct, frozen=True):
    """How the pipeline is: `problems` are none when all is well, the worst first; `hops` in a line's order.

    Rates are of the last minute. `processes` is null where the cache, through which they speak, does not answer.
    """

    as_of: Time
    data_to: Time | None
    lag_seconds: Annotated[float, Meta(ge=0)] | None
    problems: tuple[Trouble, ...]
    hops: tuple[Hop, ...]
    oldest_pending: OldestPending | None
    dead_letters: LettersCount
    ledger: PlannedLines
    processes: tuple[ProcessShown, ...] | None


# --- Dead letters ------------------------------------------------------------------------------------------------


class DeadLetterShown(msgspec.Struct, frozen=True):
    """What could not be stored. `line` is which of the record's elements it was, null for the record as a whole.

    `text` is what came, with U+FFFD for what is not UTF-8; `is_whole` says whether that is all that is kept of it,
    which has `bytes` bytes. `retried_at` is when Kafka took it anew.
    """

    id: Annotated[int, Meta(ge=1)]
    created_at: Time
    reason: str
    detail: str
    topic: str | None
    partition: Count
    offset: Count
    line: Count | None
    bytes: Count
    text: str
    is_whole: bool
    retried_at: Time | None


class DeadLetterWhole(DeadLetterShown, frozen=True):
    """The same with all that is kept of it: `payload` is base64."""

    payload: str


class DeadLettersMeta(msgspec.Struct, frozen=True):
    """How many there are, by their reasons; `next` is the `before` of the next page, null on the last."""

    total: Count
    total_is: Literal["exact", "at_least"]
    by_reason: dict[str, Count]
    limit: Count
    next: int | None


class DeadLettersAnswer(msgspec.Struct, frozen=True):
    """A page of dead letters, newest first."""

    data: tuple[DeadLetterShown, ...]
    meta: DeadLettersMeta


class DeadLetterAnswer(msgspec.Struct, frozen=True):
    """One dead letter."""

    data: DeadLetterWhole


class Retry(msgspec.Struct, frozen=True):
    """How a letter is to be sent again: with another text for its line, and also one that was sent again before."""

    replace: str | None = None
    again: bool = False


# --- Sessions ----------------------------------------------------------------------------------------------------


class Login(msgspec.Struct, frozen=True):
    """Who wants to log in: an API key."""

    key: Annotated[str, Meta(max_length=200)]


class SessionAnswer(msgspec.Struct, frozen=True):
    """Whether keys are required here, and whose session it is: the public id of the key, null for nobody's.

    `may_change` says whether this browser would be let change something, too.
    """

    required: bool
    key: str | None
    scopes: tuple[Literal["ingest", "read", "admin"], ...]
    ends_at: Time | None
    may_change: bool


# --- About the process -------------------------------------------------------------------------------------------


class Index(msgspec.Struct, frozen=True):
    """What there is."""

    name: str
    endpoints: tuple[str, ...]


class Health(msgspec.Struct, frozen=True):
    """This process answers."""

    status: Literal["ok"]


class Readiness(msgspec.Struct, frozen=True):
    """How its dependencies are, by name: `ok`, or what is wrong."""

    status: Literal["ok", "degraded", "unavailable"]
    checks: dict[str, str]
