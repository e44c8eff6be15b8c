"""Every parameter of a query, declared once: how it is understood, and what the API's document says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from pipeline.grammar import MAX_LATENCY_MS, MAX_PATH
from pipeline.selection import Network, OneOf, Selection, Substring
from pipeline.statistic import DIMENSIONS, KINDS, METRICS, ORDERS, RANGES, SCOPES
from webapi import cursor, search, values
from webapi.parameter import Parameter

T = TypeVar("T")

LIMIT, MOST = 50, 1000
TOP, MOST_TOP = 10, 100
MOST_OFFSET: Final = 10**18 - 1
MOST_POINTS: Final = 2000

ROWS_ONLY: Final = ("path", "ip")


def _words(name: str, words: Iterable[str], description: str, default: T) -> Parameter[T]:
    known = tuple(words)
    understand: Any = partial(values.one_of, known=known)
    schema = {"type": "string", "enum": list(known)}
    return Parameter(
        name=name,
        description=description,
        schema=schema,
        understand=understand,
        example=str(default or known[0]),
        default=default,
    )


def _whole(name: str, least: int, most: int, description: str, example: int, default: T) -> Parameter[T]:
    understand: Any = partial(values.number, least=least, most=most)
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Parameter(
        name=name, description=description, schema=schema, understand=understand, example=example, default=default
    )


def _text(pattern: str) -> dict[str, str]:
    return {"type": "string", "pattern": f"^{pattern}$"}


# --- Which lines -------------------------------------------------------------------------------------------------

STATUS: Final[Parameter[frozenset[int] | None]] = Parameter(
    name="status",
    description="A status, a class such as `5xx`, a list of them (`404,5xx`), or with `!` before it none of these.",
    schema=_text(values.STATUSES),
    understand=values.statuses,
    example="404,5xx",
    default=None,
)
METHOD: Final[Parameter[OneOf[str] | None]] = Parameter(
    name="method",
    description="A method in any case, a list of them (`POST,PUT`), or with `!` before it none of these.",
    schema=_text(values.METHODS),
    understand=values.methods,
    example="GET",
    default=None,
)
ROUTE: Final[Parameter[OneOf[str] | None]] = Parameter(
    name="route",
    description=(
        "A route template such as `/products/{id}`, or `other` for the routes that are too rare to be counted by name;"
        " a list of them, or with `!` before it none of these. A comma parts the list where `/` or `other` follows."
    ),
    schema=_text(values.ROUTES),
    understand=values.routes,
    example="/products/{id}",
    default=None,
)
IP: Final[Parameter[OneOf[Network] | None]] = Parameter(
    name="ip",
    description=(
        "An IPv4 or IPv6 address, a network such as `10.0.0.0/8`, a list of them, or with `!` before it none of these."
    ),
    schema=_text(values.NETWORKS),
    understand=values.addresses,
    example="10.0.0.0/8",
    default=None,
)
PATH: Final[Parameter[Substring | None]] = Parameter(
    name="path",
    description="What the path contains. Case counts, and nothing in it is a wildcard.",
    schema={"type": "string", "maxLength": MAX_PATH},
    understand=values.substring,
    example="/products",
    default=None,
)
MIN_LATENCY: Final[Parameter[int | None]] = _whole(
    "min_latency", 0, MAX_LATENCY_MS, "The least latency in milliseconds, included.", 500, default=None
)
MAX_LATENCY: Final[Parameter[int | None]] = _whole(
    "max_latency", 0, MAX_LATENCY_MS, "The greatest latency in milliseconds, included.", 2000, default=None
)

Q: Final[Parameter[Selection | None]] = Parameter(
    name="q",
    description=(
        "A search in one line, such as `status:5xx path:/api ip:10.0.0.0/8 -method:GET latency:>500`. All terms must"
        " hold, `-` turns one around, a word without a field is part of the path, and a value may stand in"
        " quotation marks. Fields: `status`, `method`, `route`, `ip`, `path`, and `latency`"
        " (`>500`, `<=20`, `100..200`, `500ms`)."
    ),
    schema={"type": "string", "maxLength": search.MAX_CHARACTERS},
    understand=search.understand,
    example="status:5xx -method:GET latency:>500",
    default=None,
)

# --- When --------------------------------------------------------------------------------------------------------

RANGE: Final[Parameter[str | None]] = _words(
    "range", RANGES, "A window that ends now; short for `from` and `to`, and not given together with them.", None
)
FROM: Final[Parameter[datetime | None]] = Parameter(
    name="from",
    description="The first moment, RFC 3339, included. Years before 1970 and after 2100 are taken for these.",
    schema={"type": "string", "format": "date-time"},
    understand=values.moment,
    example="2025-06-10T10:41:40Z",
    default=None,
)
TO: Final[Parameter[datetime | None]] = Parameter(
    name="to",
    description="The last moment, RFC 3339, included.",
    schema={"type": "string", "format": "date-time"},
    understand=values.moment,
    example="2025-06-10T11:41:40Z",
    default=None,
)

# --- How much, and in which form ---------------------------------------------------------------------------------

PAGE_LIMIT: Final[Parameter[int]] = _whole("limit", 1, MOST, "The most lines of a page.", 50, default=LIMIT)
OFFSET: Final[Parameter[int]] = _whole(
    "offset", 0, MOST_OFFSET, "How many lines to leave out; `cursor` does it at no cost.", 100, default=0
)
CURSOR: Final[Parameter[str | None]] = Parameter(
    name="cursor",
    description="`meta.next` of the page before, with the same query; not given together with `offset`.",
    schema={"type": "string", "maxLength": cursor.MAX_CHARACTERS},
    understand=str,
    example="",
    default=None,
)
FORMAT: Final[Parameter[str]] = _words("format", ("csv", "ndjson"), "CSV with a head, or one JSON a line.", "csv")
EXPORT_LIMIT: Final[Parameter[int | None]] = _whole(
    "limit", 1, MOST_OFFSET, "The most lines; all of them without it.", 100_000, default=None
)
LAST_EVENT_ID: Final[Parameter[int | None]] = _whole(
    "last_event_id",
    0,
    values.MAX_ID,
    "The `id` of the last event that was seen: the lines after it come first. The header `Last-Event-ID` goes before.",
    1,
    default=None,
)
ID: Final[Parameter[int | None]] = _whole("id", 1, values.MAX_ID, "The line's `id`.", 1, default=None)

# --- Which dead letters ------------------------------------------------------------------------------------------

REASON: Final[Parameter[str | None]] = Parameter(
    name="reason",
    description="Why it is one, such as `time` or `not_an_array`; `meta.by_reason` names those that there are.",
    schema=_text(values.REASON),
    understand=values.reason,
    example="not_an_array",
    default=None,
)
BEFORE: Final[Parameter[int | None]] = _whole(
    "before", 1, values.MAX_ID, "`meta.next` of the page before: only what has a smaller `id`.", 1000, default=None
)
LETTERS_LIMIT: Final[Parameter[int]] = _whole("limit", 1, 200, "The most letters of a page.", 50, default=LIMIT)
LETTER_ID: Final[Parameter[int | None]] = _whole("id", 1, values.MAX_ID, "The letter's `id`.", 1, default=None)

# --- Which numbers -----------------------------------------------------------------------------------------------

TYPE: Final[Parameter[str]] = _words("type", KINDS, "Which statistic.", "errors")
STATS_RANGE: Final[Parameter[str | None]] = _words(
    "range", RANGES, "A window that ends now; `hour` where neither it nor `from` is given.", None
)
STATS_TO: Final[Parameter[datetime | None]] = msgspec.structs.replace(
    TO, description="The last moment, RFC 3339, included; now without it. Only together with `from`."
)
SCOPE: Final[Parameter[str]] = _words(
    "scope", SCOPES, "The lines that are stored, or all traffic: also what is counted and then discarded.", "stored"
)
METRIC: Final[Parameter[str]] = _words("metric", METRICS, "What the points tell.", "requests")
BY_CLASS: Final[Parameter[str | None]] = _words("by", ("class",), "By class of status; together without it.", None)
STEP: Final[Parameter[int | None]] = Parameter(
    name="step",
    description=(
        "How much time a point covers: whole minutes, such as `1m`, `15m`, `6h` or `1d`. Without it, so that there are"
        f" 30 to 300 points where the window allows. More than {MOST_POINTS} points are refused."
    ),
    schema=_text(values.STEP),
    understand=values.step,
    example="5m",
    default=None,
)
BY: Final[Parameter[str]] = _words("by", DIMENSIONS, "What is ranked.", "route")
SORT: Final[Parameter[str]] = _words("sort", ORDERS, "What comes first: the greatest of these.", "requests")
SCOPE_ALL: Final[Parameter[str]] = msgspec.structs.replace(SCOPE, default="all", example="all")
ROUTES_SORT: Final[Parameter[str]] = _words(
    "routes", ORDERS, "Which routes are named: the greatest of these.", "requests"
)
ADDRESSES_SORT: Final[Parameter[str]] = _words(
    "addresses", ORDERS, "Which addresses are named: the greatest of these.", "requests"
)
TOP_LIMIT: Final[Parameter[int]] = _whole("limit", 1, MOST_TOP, "How many are named.", 10, default=TOP)

# --- Which rule --------------------------------------------------------------------------------------------------

DISCARD_STATUS: Final[Parameter[frozenset[int]]] = Parameter(
    name="discard_status",
    description="What the setting of this name would say, such as `200` or `2xx,301`; empty keeps everything.",
    schema=_text(values.RULE),
    understand=values.rule,
    example="2xx,3xx",
    default=frozenset(),
)

# --- Each endpoint's ---------------------------------------------------------------------------------------------

Parameters = tuple[Parameter[Any], ...]

SELECTION: Final[Parameters] = (Q, STATUS, METHOD, ROUTE, IP, PATH, MIN_LATENCY, MAX_LATENCY)
STATS_SELECTION: Final[Parameters] = (STATUS, METHOD, ROUTE)
ROWS_SELECTION: Final[Parameters] = (IP, PATH, MIN_LATENCY, MAX_LATENCY)
WINDOW: Final[Parameters] = (RANGE, FROM, TO)
STATS_WINDOW: Final[Parameters] = (STATS_RANGE, FROM, STATS_TO)

LOGS: Final[Parameters] = (*SELECTION, *WINDOW, PAGE_LIMIT, OFFSET, CURSOR)
EXPORT: Final[Parameters] = (*SELECTION, *WINDOW, FORMAT, EXPORT_LIMIT)
TAIL: Final[Parameters] = (*SELECTION, LAST_EVENT_ID)
STATS: Final[Parameters] = (TYPE, *STATS_WINDOW, SCOPE, *STATS_SELECTION)
SERIES: Final[Parameters] = (METRIC, BY_CLASS, STEP, *STATS_WINDOW, SCOPE, *STATS_SELECTION)
TOPS: Final[Parameters] = (BY, SORT, TOP_LIMIT, *STATS_WINDOW, SCOPE, *STATS_SELECTION, *ROWS_SELECTION)
OVERVIEW: Final[Parameters] = (*SELECTION, *STATS_WINDOW, SCOPE_ALL, ROUTES_SORT, ADDRESSES_SORT)
DEAD_LETTERS: Final[Parameters] = (REASON, FROM, TO, LETTERS_LIMIT, BEFORE)
PREVIEW: Final[Parameters] = (DISCARD_STATUS,)
LEDGER: Final[Parameters] = (FROM, TO)
