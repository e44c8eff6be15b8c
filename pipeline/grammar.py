"""The grammar of a line, in three forms built from the same field patterns.

`parse` has the last word: slow, complete, and it says what is wrong. The two fast forms take only what is ordinary
(`Z`, no 29 February, plain ASCII, addresses as they are usually written) and never accept what `parse` refuses:
`body_lines` checks a whole JSON body at the door, `FAST_LINE` takes a column of lines apart in Polars.
"""

from __future__ import annotations

import re
import socket
from datetime import datetime, timedelta
from typing import Final

import msgspec

from pipeline.errors import LineFault

REASONS: Final = ("not_text", "fields", "time", "address", "method", "path", "status", "latency")
MAX_PATH: Final = 2048
MAX_LATENCY_MS: Final = 2**31 - 1

# The shared patterns are in the dialect that Python and Rust have in common, and leave no choice between two ways to
# go on: so Rust's engine keeps its one-pass automaton (with groups five times faster), and Python's does not backtrack.
_DAY_28 = "(?:0[1-9]|1[0-9]|2[0-8])"
_DAY_30 = "(?:0[1-9]|[12][0-9]|30)"
_DAY_31 = "(?:0[1-9]|[12][0-9]|3[01])"
_MONTH_DAY = f"(?:0(?:[13578]-{_DAY_31}|[469]-{_DAY_30}|2-{_DAY_28})|1(?:[02]-{_DAY_31}|1-{_DAY_30}))"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
_TIME = f"(?:19[7-9][0-9]|20[0-9][0-9])-{_MONTH_DAY}T{_CLOCK}"
_OCTET = "(?:2(?:5[0-5]?|[0-4][0-9]?|[6-9])?|1[0-9]{0,2}|[3-9][0-9]?|0)"
_IPV4 = rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}"
_METHOD = "[A-Z]{1,10}"
_STATUS = "[1-5][0-9]{2}"
_LATENCY = "(?:0|[1-9][0-9]{0,8})"


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line's six fields: `timestamp` is naive UTC with microseconds, `ip` is as `inet_ntop` writes it."""

    timestamp: datetime
    ip: str
    method: str
    path: str
    status: int
    latency_ms: int


# --- The columnar form -------------------------------------------------------------------------------------------

FAST_LINE: Final = (
    f"^(?P<time>{_TIME})Z (?P<ip>{_IPV4}) (?P<method>{_METHOD}) (?P<path>/[!-~]{{0,{MAX_PATH - 1}}})"
    f" (?P<status>{_STATUS}) (?P<latency>{_LATENCY})ms$"
)
"""For Polars' `str.extract_groups`. `time` is `YYYY-MM-DDTHH:MM:SS[.ffffff]` in UTC, without the `Z`; `ip` is IPv4 as
`inet_ntop` writes it; `status` and `latency` fit 32 bits. A line that gives nulls is for `parse` to judge."""


# --- The door's form ---------------------------------------------------------------------------------------------

_GROUP = "[0-9A-Fa-f]{1,4}"


def _ipv6_after(groups: int) -> str:
    """What may follow `groups` groups of an IPv6 address: all eight groups, or one `::` for two or more of them."""
    if groups == 7:
        return f":{_GROUP}"
    most = 6 - groups
    right = f"(?:{_GROUP}(?::{_GROUP}){{0,{most - 1}}})?" if most else ""
    return f":(?::{right}|{_GROUP}{_ipv6_after(groups + 1)})"


_SPACE = "[ \t\n\r]*+"
# A path without `"` and `\` is written in JSON as it is.
_STRING = (
    f'"(?>{_TIME}Z )(?>{_IPV4} |{_GROUP}{_ipv6_after(1)} ){_METHOD}+ /[!#-\\[\\]-~]{{0,{MAX_PATH - 1}}}+'
    f' {_STATUS} (?>{_LATENCY}ms")'
)
_BODY = re.compile(f"{_SPACE}\\[{_SPACE}{_STRING}{_SPACE}(?:,{_SPACE}{_STRING}{_SPACE})*+\\]{_SPACE}".encode())


def body_lines(body: bytes) -> int | None:
    """How many lines a JSON body holds, if it is an array of ordinary valid lines; None says "not decided"."""
    # No line has a quotation mark in it, so every second one in a body that matches closes a line.
    return body.count(b'"') // 2 if _BODY.fullmatch(body) else None


# --- The slow form -----------------------------------------------------------------------------------------------

_SURROGATE = re.compile("[\ud800-\udfff]")
_SLOW_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_SLOW_IPV4 = re.compile(_IPV4)
_SLOW_IPV6 = re.compile(f"[0-9A-Fa-f:]+(?:(?<=:){_IPV4})?")
_SLOW_METHOD = re.compile(_METHOD)
_SLOW_PATH = re.compile("/[^\0-\x20\x7f-\x9f]*")
_SLOW_STATUS = re.compile(_STATUS)
_SLOW_LATENCY = re.compile("(0|[1-9][0-9]{0,9})ms")


def parse(line: str) -> Line:
    """Takes a line apart.

    Raises LineFault at the first field, from the left, that breaks the grammar; its `reason` is one of REASONS.
    """
    if not line.isascii() and _SURROGATE.search(line):
        raise LineFault("not_text", "a line must be text, found half of a surrogate pair in it")
    fields = line.split(" ", 6)
    if len(fields) != 6:
        raise _fault("fields", "six fields with one space between them and nothing around", line)
    time, ip, method, path, status, latency = fields
    return Line(
        timestamp=_timestamp(time),
        ip=_address(ip),
        method=_method(method),
        path=_path(path),
        status=_status(status),
        latency_ms=_latency(latency),
    )


def _timestamp(text: str) -> datetime:
    if not (match := _SLOW_TIME.fullmatch(text)):
        raise _fault("time", "an RFC 3339 time such as 2025-06-10T10:41:40Z", text)
    *date, fraction, sign, hours, minutes = match.groups()
    try:
        year, month, day, hour, minute, second = map(int, date)
        moment = datetime(year, month, day, hour, minute, second, int((fraction or "").ljust(6, "0")))  # noqa: DTZ001 (naive UTC)
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment - offset if sign == "+" else moment + offset
    except (ValueError, OverflowError):
        raise _fault("time", "a date and time that exist", text) from None
    if not 1970 <= moment.year <= 2099:
        raise _fault("time", "a time between the years 1970 and 2099 (UTC)", text)
    return moment


def _address(text: str) -> str:
    if _SLOW_IPV4.fullmatch(text):
        return text
    # The pattern first: what `inet_pton` makes of unusual text differs between C libraries.
    if _SLOW_IPV6.fullmatch(text):
        try:
            return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text))
        except OSError:
            pass
    raise _fault("address", "an IPv4 address without leading zeros, or an IPv6 address without a zone", text)


def _method(text: str) -> str:
    if not _SLOW_METHOD.fullmatch(text):
        raise _fault("method", "a method of 1 to 10 capital letters", text)
    return text


def _path(text: str) -> str:
    if len(text) > MAX_PATH:
        raise LineFault("path", f"expected a path of at most {MAX_PATH} characters, found {len(text)}")
    if not _SLOW_PATH.fullmatch(text):
        raise _fault("path", "a path that starts with / and has no control characters", text)
    return text


def _status(text: str) -> int:
    if not _SLOW_STATUS.fullmatch(text):
        raise _fault("status", "a status from 100 to 599", text)
    return int(text)


def _latency(text: str) -> int:
    match = _SLOW_LATENCY.fullmatch(text)
    if not match or int(match[1]) > MAX_LATENCY_MS:
        raise _fault(
            "latency", f"a latency from 0 to {MAX_LATENCY_MS} without leading zeros, then ms, such as 971ms", text
        )
    return int(match[1])


def _fault(reason: str, expected: str, found: str) -> LineFault:
    """A fault in words; what was found is escaped to ASCII and cut, so that it is safe to show and to log."""
    shown = ascii(found[:60]) + ("..." if len(found) > 60 else "")
    return LineFault(reason, f"expected {expected}, found {shown}")
