"""Hypothesis strategies for lines: valid ones, and ones that a mutation has probably made invalid."""

# ruff: noqa: DTZ001, RUF001  (a line's time is naive UTC; digits of other scripts are the point)

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

from hypothesis import strategies as st

from pipeline.grammar import MAX_LATENCY_MS, MAX_PATH

TROUBLE = "\0\n\r\t \x7f\x80\x85\x9f\xa0\u2028\u3000\ud800\udfff\ufeff٣３²/\\\"'%:.+-0129azAZmsTZé😀"

_moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2099, 12, 31, 23, 59, 59, 999999))
_fractions = st.one_of(st.just(""), st.integers(1, 6).flatmap(lambda n: st.from_regex(rf"\A\.[0-9]{{{n}}}\Z")))
_offsets = st.one_of(st.just("Z"), st.from_regex(r"\A[+-]([01][0-9]|2[0-3]):[0-5][0-9]\Z"))
_path_characters = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=" ")


@st.composite
def _ordinary_times(draw: st.DrawFn) -> str:
    return draw(_moments).strftime("%Y-%m-%dT%H:%M:%S") + draw(_fractions) + "Z"


@st.composite
def _rare_times(draw: st.DrawFn) -> str:
    """Any offset, kept a day inside the years that are allowed."""
    moment = draw(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2099, 12, 30)))
    if draw(st.booleans()):
        moment = datetime(draw(st.sampled_from([1972, 2000, 2096])), 2, 28) + timedelta(days=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + draw(_fractions) + draw(_offsets)


_ipv4 = st.ip_addresses(v=4).map(str)
_ipv6 = st.one_of(
    st.ip_addresses(v=6).map(str),
    st.ip_addresses(v=6).map(lambda a: a.exploded.upper()),
    st.lists(st.sampled_from([0, 0, 1, 0xFFFF]), min_size=8, max_size=8).map(
        lambda groups: str(ipaddress.IPv6Address(b"".join(g.to_bytes(2, "big") for g in groups)))
    ),
    _ipv4.map(lambda a: f"::ffff:{a}"),
)
_methods = st.from_regex(r"\A[A-Z]{1,10}\Z")
_plain_paths = st.text(st.characters(codec="ascii", exclude_categories=("Cc",), exclude_characters=' "\\'), max_size=40)
_rare_paths = st.one_of(
    st.text(_path_characters, max_size=40),
    st.sampled_from(['a"ms"', 'ms","', '\\"ms', "x" * (MAX_PATH - 1), "é" * (MAX_PATH - 1), "😀" * (MAX_PATH - 1)]),
)
_statuses = st.integers(100, 599)
_latencies = st.one_of(st.integers(0, 999_999_999), st.integers(0, 3000))


def _join(time: str, ip: str, method: str, path: str, status: int, latency: int) -> str:
    return f"{time} {ip} {method} /{path} {status} {latency}ms"


ordinary_lines = st.builds(
    _join, _ordinary_times().filter(lambda t: t[5:10] != "02-29"), _ipv4, _methods, _plain_paths, _statuses, _latencies
)
valid_lines = st.one_of(
    ordinary_lines,
    st.builds(
        _join,
        st.one_of(_ordinary_times(), _rare_times()),
        st.one_of(_ipv4, _ipv6),
        _methods,
        st.one_of(_plain_paths, _rare_paths),
        _statuses,
        st.one_of(_latencies, st.just(MAX_LATENCY_MS)),
    ),
)


@st.composite
def mutated_lines(draw: st.DrawFn) -> str:
    """A valid line after one to three insertions, deletions, replacements or swaps of characters."""
    line = list(draw(valid_lines))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(line) - 1)))
        character = draw(st.one_of(st.sampled_from(TROUBLE), st.characters()))
        match draw(st.sampled_from(["insert", "append", "delete", "replace", "swap"])):
            case "insert":
                line.insert(at, character)
            case "append":
                line.append(character)
            case "delete" if line:
                del line[at]
            case "replace" if line:
                line[at] = character
            case "swap" if len(line) > at + 1:
                line[at], line[at + 1] = line[at + 1], line[at]
    return "".join(line)


any_lines = st.one_of(valid_lines, mutated_lines(), st.text(st.one_of(st.sampled_from(TROUBLE), st.characters())))
