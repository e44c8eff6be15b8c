"""What the text of one parameter means."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.selection import Network, OneOf
from webapi import values

FIVES = frozenset(range(500, 600))
EVERY = frozenset(range(100, 600))


def packed(text: str) -> bytes:
    """An address in network order."""
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("404", {404}),
        ("5xx", FIVES),
        ("5XX,404,500", FIVES | {404}),
        ("!404", EVERY - {404}),
        ("!4xx,500", EVERY - set(range(400, 500)) - {500}),
        ("404,404", {404}),
    ],
)
def test_statuses(text: str, expected: set[int]) -> None:
    assert values.statuses(text) == expected


@pytest.mark.parametrize(
    "text", ["", "99", "600", "6xx", "4x", "404,", ",404", "404,!500", "!", "!!404", " 404", "٤٠٤"]
)
def test_what_is_no_status_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a status"):
        values.statuses(text)


def test_a_list_that_leaves_no_status_is_refused() -> None:
    with pytest.raises(ValueError, match="no status is left"):
        values.statuses("!1xx,2xx,3xx,4xx,5xx")


def test_methods() -> None:
    assert values.methods("get") == OneOf(("GET",))
    assert values.methods("!put,Post,PUT") == OneOf(("POST", "PUT"), negated=True)
    for text in ("", "G3T", "ABCDEFGHIJK", "GET,", "GET,!PUT", "!"):
        with pytest.raises(ValueError, match="expected a method"):
            values.methods(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/", OneOf(("/",))),
        ("/products/{id}", OneOf(("/products/{id}",))),
        ("other", OneOf(("other",))),
        ("other,/a,/b", OneOf(("/a", "/b", "other"))),
        ("/a,b,/c", OneOf(("/a,b", "/c"))),
        ("/a,others", OneOf(("/a,others",))),
        ("!/a,other", OneOf(("/a", "other"), negated=True)),
        ("/é", OneOf(("/é",))),
    ],
)
def test_routes(text: str, expected: OneOf[str]) -> None:
    assert values.routes(text) == expected


@pytest.mark.parametrize("text", ["", "a", "others", "/a b", "/\n", "!", "/" + "x" * 500, ",/a"])
def test_what_is_no_route_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        values.routes(text)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("10.1.2.3", [("10.1.2.3", "10.1.2.3")]),
        ("10.1.2.3/8", [("10.0.0.0", "10.255.255.255")]),
        ("10.0.0.0/9,10.0.0.1", [("10.0.0.0", "10.127.255.255")]),
        ("0.0.0.0/0", [("0.0.0.0", "255.255.255.255")]),
        ("2001:DB8::1/32", [("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")]),
        ("::ffff:1.2.3.4", [("::ffff:102:304", "::ffff:102:304")]),
        ("::1,1.1.1.1", [("1.1.1.1", "1.1.1.1"), ("::1", "::1")]),
    ],
)
def test_addresses(text: str, ranges: list[tuple[str, str]]) -> None:
    expected = tuple(Network(packed(first), packed(last)) for first, last in ranges)
    assert values.addresses(text) == OneOf(expected)
    assert values.addresses(f"!{text}") == OneOf(expected, negated=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.2.3",
        "01.2.3.4",
        "fe80::1%eth0",
        "a\0b",
        "1.2.3.4/33",
        "1.2.3.4/",
        "1.2.3.4/08",
        "::/129",
        "1.2.3.4, 1.1.1.1",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        values.addresses(text)


def test_lists_have_an_end() -> None:
    most = ",".join(["404"] * values.MAX_LISTED)
    assert values.statuses(most) == {404}
    with pytest.raises(ValueError, match="at most 100"):
        values.statuses(f"{most},404")


def test_steps_are_whole_minutes() -> None:
    assert [values.step(text) for text in ("1m", "60s", "15m", "6h", "1d", "366d")] == [
        60,
        60,
        900,
        21_600,
        86_400,
        366 * 86_400,
    ]
    for text in ("", "0m", "1s", "90s", "367d", "1M", "m", "1.5h", "-1m", "1 m", "999999999d", "1w", "01m"):
        with pytest.raises(ValueError, match="whole minutes"):
            values.step(text)


@pytest.mark.parametrize(
    ("understand", "pattern"),
    [
        (values.statuses, values.STATUSES),
        (values.methods, values.METHODS),
        (values.routes, values.ROUTES),
        (values.addresses, values.NETWORKS),
        (values.step, values.STEP),
    ],
)
@given(data=st.data())
def test_what_is_understood_fits_the_pattern_of_the_document(
    understand: Callable[[str], Any], pattern: str, data: st.DataObject
) -> None:
    text = data.draw(st.one_of(st.text(max_size=20), st.from_regex(pattern, fullmatch=True)))
    try:
        understand(text)
    except ValueError:
        return
    assert re.fullmatch(pattern, text)
