"""The query of a request, understood or refused: pure.

What is wrong with a parameter is a BadParameter that names it. An empty parameter is absent, `_` is ignored (it is
what browsers' tools add against caches), one that is unknown or repeated is refused.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import msgspec

from pipeline.errors import BadParameter
from pipeline.grammar import MAX_PATH
from pipeline.statistic import KINDS, RANGES, SCOPES

T = TypeVar("T")
Pairs = Iterable[tuple[str, str]]

LIMIT, MOST = 50, 1000
# No line is dated outside, and both stores can compare these.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)

_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)"
    r"([Zz]|([-+ ])((?:[01][0-9]|2[0-3]):[0-5][0-9]))"
)


class LogsQuestion(msgspec.Struct, frozen=True):
    """What `/logs` is asked for; both times are included."""

    ip: str | None
    status: int | None
    method: str | None
    path: str | None
    start: datetime | None
    end: datetime | None
    limit: int
    offset: int


class StatsQuestion(msgspec.Struct, frozen=True):
    """Which statistic `/stats` is asked for."""

    kind: str
    range_name: str
    scope: str


class LedgerQuestion(msgspec.Struct, frozen=True):
    """Which minutes `/ledger` is asked for: from `first` on and before `end`, None for all there are."""

    first: datetime | None
    end: datetime | None


def logs_question(pairs: Pairs, now: datetime) -> LogsQuestion:
    """The question of `/logs`. Raises BadParameter."""
    given = _given(pairs, ("ip", "status", "method", "path", "range", "from", "to", "limit", "offset"))
    start, end = _window(given, now)
    return LogsQuestion(
        ip=_read(given, "ip", _ip),
        status=_read(given, "status", _status),
        method=_read(given, "method", _method),
        path=_read(given, "path", _path),
        start=start,
        end=end,
        limit=_read(given, "limit", _limit) or LIMIT,
        offset=_read(given, "offset", _offset) or 0,
    )


def stats_question(pairs: Pairs) -> StatsQuestion:
    """The question of `/stats`. Raises BadParameter."""
    given = _given(pairs, ("type", "range", "scope"))
    return StatsQuestion(
        kind=_read(given, "type", lambda text: _one_of(text, KINDS)) or "errors",
        range_name=_read(given, "range", lambda text: _one_of(text, RANGES)) or "hour",
        scope=_read(given, "scope", lambda text: _one_of(text, SCOPES)) or "stored",
    )


def ledger_question(pairs: Pairs) -> LedgerQuestion:
    """The question of `/ledger`: the minutes in which `from` and `to` lie are included. Raises BadParameter."""
    given = _given(pairs, ("from", "to"))
    first, last = (_read(given, name, _moment) for name in ("from", "to"))
    _require_order(first, last)
    return LedgerQuestion(_minute(first) if first else None, _minute(last) + _MINUTE if last else None)


def _given(pairs: Pairs, known: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in pairs:
        if name == "_":
            continue
        if name not in known:
            raise BadParameter(name[:100], f"no such parameter; there are {', '.join(known)}")
        if name in found:
            raise BadParameter(name, "given more than once")
        found[name] = text
    return {name: text for name, text in found.items() if text}


def _read(given: Mapping[str, str], name: str, understand: Callable[[str], T]) -> T | None:
    """The parameter's value, None where it is absent; `understand` raises ValueError with what is expected."""
    text = given.get(name)
    try:
        return None if text is None else understand(text)
    except ValueError as error:
        raise BadParameter(name, str(error)) from None


def _window(given: Mapping[str, str], now: datetime) -> tuple[datetime | None, datetime | None]:
    range_name = _read(given, "range", lambda text: _one_of(text, RANGES))
    if range_name:
        if "from" in given or "to" in given:
            raise BadParameter("range", "it is short for from and to: give either it or them")
        return now - RANGES[range_name], now
    start, end = _read(given, "from", _moment), _read(given, "to", _moment)
    _require_order(start, end)
    return start, end


def _require_order(start: datetime | None, end: datetime | None) -> None:
    if start and end and start > end:
        raise BadParameter("from", "it is later than to")


def _ip(text: str) -> str:
    """As `inet_ntop` writes it: the form in which addresses are stored."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_ntop(family, socket.inet_pton(family, text))
        except (OSError, ValueError):
            pass
    raise ValueError("expected an IPv4 address without leading zeros, or an IPv6 address without a zone")


def _status(text: str) -> int:
    if not re.fullmatch("[1-5][0-9]{2}", text):
        raise ValueError("expected a status from 100 to 599")
    return int(text)


def _method(text: str) -> str:
    if not re.fullmatch("[A-Za-z]{1,10}", text):
        raise ValueError("expected a method of 1 to 10 letters")
    return text.upper()


def _path(text: str) -> str:
    if len(text) > MAX_PATH:
        raise ValueError(f"expected at most {MAX_PATH} characters")
    return text


def _limit(text: str) -> int:
    return _number(text, 1, MOST)


def _offset(text: str) -> int:
    return _number(text, 0, 10**18 - 1)


def _number(text: str, least: int, most: int) -> int:
    if not re.fullmatch("[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise ValueError(f"expected a whole number from {least} to {most}")
    return int(text)


def _one_of(text: str, known: Iterable[str]) -> str:
    if text not in (names := list(known)):
        raise ValueError(f"expected one of {', '.join(names)}")
    return text


def _moment(text: str) -> datetime:
    """A time in UTC; a `+` that was not quoted comes as a space."""
    try:
        if not (match := _TIME.fullmatch(text)):
            raise ValueError
        date, clock, zone, sign, offset = match.groups()
        zone = f"{'-' if sign == '-' else '+'}{offset}" if sign else "+00:00"
        moment = datetime.fromisoformat(f"{date}T{clock}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "expected an RFC 3339 time such as 2025-06-10T10:41:40Z, with at most six digits after the second"
        ) from None
    return min(max(moment, _FIRST), _LAST)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
