"""What one search box says, and where it cannot be understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.selection import EVERYTHING, OneOf, Selection, Substring
from webapi import values
from webapi.search import MAX_CHARACTERS, MAX_TERMS, Unclear, understand

TENS = values.addresses("10.0.0.0/8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", EVERYTHING),
        ("  \t ", EVERYTHING),
        ("status:404,5xx", Selection(status=values.statuses("404,5xx"))),
        ("STATUS:404", Selection(status=frozenset({404}))),
        ("-status:4xx", Selection(status=values.statuses("!4xx"))),
        ("-status:!404", Selection(status=frozenset({404}))),
        ("status:4xx -status:404", Selection(status=values.statuses("4xx") - {404})),
        ("-method:get -method:PUT", Selection(method=OneOf(("GET", "PUT"), negated=True))),
        ("method:GET,PUT,HEAD -method:PUT method:PUT,GET", Selection(method=OneOf(("GET",)))),
        ("route:/products/{id}", Selection(route=OneOf(("/products/{id}",)))),
        ("-route:other", Selection(route=OneOf(("other",), negated=True))),
        ("ip:10.0.0.0/8", Selection(ip=TENS)),
        ("ip:10.0.0.0/8 ip:10.1.0.0/16", Selection(ip=values.addresses("10.1.0.0/16"))),
        ("ip:10.0.0.0/8 -ip:10.128.0.0/9", Selection(ip=values.addresses("10.0.0.0/9"))),
        ("/api", Selection(path=(Substring("/api"),))),
        ("path:/api", Selection(path=(Substring("/api"),))),
        ("/b /a -/c /a", Selection(path=(Substring("/a"), Substring("/b"), Substring("/c", negated=True)))),
        ('"a b"', Selection(path=(Substring("a b"),))),
        ('path:"say \\"a\\\\b\\""', Selection(path=(Substring('say "a\\b"'),))),
        ('-"x:y"', Selection(path=(Substring("x:y", negated=True),))),
        ("a\\b", Selection(path=(Substring("a\\b"),))),
        ("a-b", Selection(path=(Substring("a-b"),))),
        ("/a:b", Selection(path=(Substring("/a:b"),))),
        ("latency:>500", Selection(min_latency=501)),
        ("latency:>=500ms", Selection(min_latency=500)),
        ("latency:<10", Selection(max_latency=9)),
        ("latency:<=10", Selection(max_latency=10)),
        ("latency:100..200ms", Selection(min_latency=100, max_latency=200)),
        ("latency:500", Selection(min_latency=500, max_latency=500)),
        ("latency:0", Selection(max_latency=0)),
        ("latency:>=0", EVERYTHING),
        ("latency:<9999999999", EVERYTHING),
        ("latency:>100 latency:>=200 latency:<=300", Selection(min_latency=200, max_latency=300)),
        ("-latency:>500", Selection(max_latency=500)),
        ("-latency:<=500", Selection(min_latency=501)),
        ("-latency:0", Selection(min_latency=1)),
        (
            "status:5xx path:/api ip:10.0.0.0/8 -method:GET latency:>500 route:/products/{id}",
            Selection(
                status=values.statuses("5xx"),
                method=OneOf(("GET",), negated=True),
                route=OneOf(("/products/{id}",)),
                ip=TENS,
                path=(Substring("/api"),),
                min_latency=501,
            ),
        ),
    ],
)
def test_terms(text: str, expected: Selection) -> None:
    assert understand(text) == expected


@pytest.mark.parametrize(
    ("text", "character", "detail"),
    [
        ("/api /x stats:5xx", 9, "no such field 'stats'; there are status, method, route, ip, path, latency"),
        ("-x:y", 2, "no such field 'x'"),
        ("http://a", 1, "quote a path with a colon"),
        ("status:99", 8, "expected a status"),
        ("  -status:99", 11, "expected a status"),
        ("status: 404", 8, "a value is missing"),
        ("-", 2, "a value is missing"),
        ('/a ""', 4, "a value is missing"),
        ('path:"a', 6, "not closed"),
        ('"a\\n"', 1, "not closed, or"),
        ('"a"b', 4, "expected a space"),
        ('a"b"', 2, "expected a space"),
        ("ip:1.2.3", 4, "expected an IPv4"),
        ("latency:fast", 9, "expected a latency"),
        ("latency:1..", 9, "expected a latency"),
        ("-latency:100..200", 10, "both ends cannot be excluded"),
        ("status:404 status:5xx", 12, "no status is left"),
        ("method:GET -method:GET", 12, "no method is left"),
        ("ip:10.0.0.0/8 -ip:0.0.0.0/0", 15, "no ip is left"),
        ("route:/a route:/b", 10, "no route is left"),
        ("latency:>10 latency:<5", 13, "no latency is left"),
        ("latency:<0", 1, "no latency is left"),
        ("latency:>2147483647", 1, "no latency is left"),
        ("latency:200..100", 1, "no latency is left"),
        ("x" * (MAX_CHARACTERS + 1), MAX_CHARACTERS + 1, "at most 2000 characters"),
        ("x " * (MAX_TERMS + 1), MAX_TERMS * 2 + 1, "at most 50 terms"),
    ],
)
def test_a_fault_has_a_place(text: str, character: int, detail: str) -> None:
    with pytest.raises(Unclear) as refused:
        understand(text)
    assert refused.value.character == character
    assert str(refused.value).startswith(f"character {character}: ")
    assert detail in str(refused.value)


@given(
    st.lists(st.sampled_from(['"', "\\", "-", ":", " ", "status:", "latency:", "ip:", "5xx", "..", "1", "!", "é", "/"]))
)
def test_no_search_does_worse_than_be_refused_at_one_of_its_characters(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        understand(text)
    except Unclear as refused:
        assert 1 <= refused.character <= len(text) + 1


@given(st.text(min_size=1, max_size=50), st.booleans())
def test_every_text_can_be_quoted(text: str, negated: bool) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert understand(f'{"-" * negated}path:"{quoted}"') == Selection(path=(Substring(text, negated),))
