"""What the text of a parameter means, one function a kind of value. Pure.

Each raises ValueError with what is expected. The patterns are also what the API's document says of a parameter, so they
are in the dialect that Python and JSON Schema have in common, without anchors.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final, TypeVar

from pipeline.filter import discarded
from pipeline.grammar import MAX_PATH
from pipeline.patterns import MAX_TEMPLATE
from pipeline.routes import OTHER
from pipeline.selection import Network, OneOf, Substring
from webapi import networks

T = TypeVar("T")

MAX_LISTED: Final = 100
MAX_ID: Final = 2**63 - 1
MOST_STEP_DAYS: Final = 366

STATUSES: Final = "!?[1-5]([0-9]{2}|[xX]{2})(,[1-5]([0-9]{2}|[xX]{2}))*"
METHODS: Final = "!?[A-Za-z]{1,10}(,[A-Za-z]{1,10})*"
ROUTES: Final = f"!?(/[^ ]{{0,{MAX_TEMPLATE - 1}}}|{OTHER})(,(/[^ ]{{0,{MAX_TEMPLATE - 1}}}|{OTHER}))*"
NETWORKS: Final = r"!?[0-9A-Fa-f.:]+(/[0-9]{1,3})?(,[0-9A-Fa-f.:]+(/[0-9]{1,3})?)*"
RULE: Final = "[1-5]([0-9]{2}|[xX]{2})( *, *[1-5]([0-9]{2}|[xX]{2}))*"
REASON: Final = "[a-z_]{1,32}"
STEP: Final = "[1-9][0-9]{0,8}[smhd]"

# No line is dated outside, and both stores can compare these.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_EVERY_STATUS: Final = frozenset(range(100, 600))
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TEMPLATE = re.compile(f"/[^\0-\x20\x7f-\x9f]*|{OTHER}")
_BETWEEN_TEMPLATES = re.compile(f",(?=/|{OTHER}(?:,|$))")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)"
    r"([Zz]|([-+ ])((?:[01][0-9]|2[0-3]):[0-5][0-9]))"
)


def statuses(text: str) -> frozenset[int]:
    """`404`, `5xx`, a list of these, or with `!` before it none of these: the statuses that are left."""
    if not re.fullmatch(STATUSES, text):
        raise ValueError("expected a status from 100 to 599, a class such as 5xx, a list such as 404,5xx, or !404")
    negated, parts = _listed(text, lambda rest: rest.split(","))
    named = frozenset(status for part in parts for status in _statuses(part.lower()))
    found = _EVERY_STATUS - named if negated else named
    if not found:
        raise ValueError("no status is left")
    return found


def rule(text: str) -> frozenset[int]:
    """What DISCARD_STATUS may say: the statuses that it discards."""
    if not re.fullmatch(RULE, text):
        raise ValueError("expected statuses and classes such as 200 or 2xx,301")
    return discarded(text)


def reason(text: str) -> str:
    """The word for why a dead letter is one."""
    if not re.fullmatch(REASON, text):
        raise ValueError("expected a word such as not_an_array")
    return text


def methods(text: str) -> OneOf[str]:
    """A method in any case, a list of them, or with `!` before it none of these."""
    if not re.fullmatch(METHODS, text):
        raise ValueError("expected a method of 1 to 10 letters, a list such as GET,HEAD, or !GET")
    negated, parts = _listed(text, lambda rest: rest.split(","))
    return OneOf(_set(part.upper() for part in parts), negated)


def routes(text: str) -> OneOf[str]:
    """A route template or `other`, a list, or with `!` before it none of these; a comma before `/` or `other` parts."""
    negated, parts = _listed(text, _BETWEEN_TEMPLATES.split)
    for part in parts:
        if not _TEMPLATE.fullmatch(part):
            raise ValueError("expected a route such as /products/{id}, or other, a list of them, or !/products/{id}")
        if len(part) > MAX_TEMPLATE:
            raise ValueError(f"expected routes of at most {MAX_TEMPLATE} characters")
    return OneOf(_set(parts), negated)


def addresses(text: str) -> OneOf[Network]:
    """An address, a network such as `10.0.0.0/8`, a list, or with `!` before it none of these."""
    negated, parts = _listed(text, lambda rest: rest.split(","))
    return OneOf(networks.union(_network(part) for part in parts), negated)


def substring(text: str) -> Substring:
    """Part of a path; case counts, nothing in it is a wildcard."""
    if len(text) > MAX_PATH:
        raise ValueError(f"expected at most {MAX_PATH} characters")
    return Substring(text)


def number(text: str, least: int, most: int) -> int:
    """A whole number from `least` (not below 0) to `most`."""
    if not re.fullmatch("[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise ValueError(f"expected a whole number from {least} to {most}")
    return int(text)


def one_of(text: str, known: Iterable[str]) -> str:
    """One of some words."""
    if text not in (names := list(known)):
        raise ValueError(f"expected one of {', '.join(names)}")
    return text


def step(text: str) -> int:
    """The seconds of a duration such as `5m`: whole minutes."""
    seconds = int(text[:-1]) * _SECONDS[text[-1]] if re.fullmatch(STEP, text) else 0
    if seconds < 60 or seconds % 60 or seconds > MOST_STEP_DAYS * 86400:
        raise ValueError(f"expected whole minutes such as 1m, 15m, 6h or 1d, at most {MOST_STEP_DAYS}d")
    return seconds


def moment(text: str) -> datetime:
    """A time in UTC; a `+` that was not quoted comes as a space."""
    try:
        if not (match := _TIME.fullmatch(text)):
            raise ValueError
        date, clock, zone, sign, offset = match.groups()
        zone = f"{'-' if sign == '-' else '+'}{offset}" if sign else "+00:00"
        found = datetime.fromisoformat(f"{date}T{clock}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "expected an RFC 3339 time such as 2025-06-10T10:41:40Z, with at most six digits after the second"
        ) from None
    return min(max(found, _FIRST), _LAST)


def _listed(text: str, split: Callable[[str], list[str]]) -> tuple[bool, list[str]]:
    """Whether a list is negated, and its parts."""
    parts = split(text.removeprefix("!"))
    if len(parts) > MAX_LISTED:
        raise ValueError(f"expected at most {MAX_LISTED} of them")
    return text.startswith("!"), parts


def _set(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _statuses(part: str) -> Iterable[int]:
    return range(int(part[0]) * 100, int(part[0]) * 100 + 100) if part.endswith("xx") else (int(part),)


def _network(text: str) -> Network:
    """As `inet_pton` understands it: an IPv6 address that maps an IPv4 one is an IPv6 address."""
    address, slash, length = text.partition("/")
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            packed = socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        bits = len(packed) * 8
        if not slash:
            return Network(packed, packed)
        if re.fullmatch("0|[1-9][0-9]{0,2}", length) and int(length) <= bits:
            return networks.around(packed, int(length))
        raise ValueError(f"expected a network of at most {bits} bits such as {address}/{bits // 2}")
    raise ValueError(
        "expected an IPv4 address without leading zeros, an IPv6 address without a zone, a network such as 10.0.0.0/8,"
        " a list of them, or !10.0.0.0/8"
    )
