"""A cursor: the same query, further on."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadParameter
from pipeline.statistic import RANGES
from webapi import cursor
from webapi.parameter import Pairs
from webapi.parameters import logs_question

NOW = datetime(2026, 3, 3, 12, 0, 30, 250_000, tzinfo=UTC)
LATER = NOW + timedelta(hours=5)
QUERIES: list[list[tuple[str, str]]] = [
    [],
    [("range", "hour")],
    [("range", "week"), ("status", "5xx")],
    [("from", "2025-06-10T10:41:40Z")],
    [("from", "2025-06-10T10:41:40Z"), ("to", "2025-06-10T10:41:41.5Z")],
    [("q", "status:5xx -/a ip:::1"), ("method", "GET")],
]


def following(pairs: Pairs, before: int, now: datetime = NOW) -> str:
    """The cursor of the page after the first."""
    return cursor.encode(logs_question(pairs, now), before)


@given(st.sampled_from(QUERIES), st.integers(1, 2**63 - 1), st.integers(1, 1000))
def test_a_cursor_keeps_the_query_and_its_window(query: list[tuple[str, str]], before: int, limit: int) -> None:
    first = logs_question([*query, ("limit", str(limit))], NOW)
    text = cursor.encode(first, before)
    assert len(text) <= cursor.MAX_CHARACTERS
    then = logs_question([("cursor", text), *query, ("limit", str(limit))], LATER)
    assert then == msgspec.structs.replace(first, before=before)


def test_a_page_of_another_size_may_follow() -> None:
    assert logs_question([("cursor", following([], 7)), ("limit", "3")], NOW).limit == 3


def test_the_order_of_what_is_said_does_not_matter() -> None:
    text = following([("status", "404,500"), ("q", "/b /a"), ("ip", "::1,1.1.1.1")], 7)
    again = [("q", "/a /b"), ("ip", "1.1.1.1,::1"), ("cursor", text), ("status", "500,404")]
    assert logs_question(again, NOW).before == 7


def test_a_cursor_of_another_query_is_refused() -> None:
    for first in QUERIES:
        for second in QUERIES:
            if first != second:
                with pytest.raises(BadParameter) as refused:
                    logs_question([*second, ("cursor", following(first, 7))], NOW)
                assert refused.value.name == "cursor"


def test_it_does_not_go_with_an_offset() -> None:
    with pytest.raises(BadParameter, match="either it or offset"):
        logs_question([("cursor", following([], 7)), ("offset", "0")], NOW)


@given(st.one_of(st.text(), st.binary(max_size=50).map(lambda noise: base64.urlsafe_b64encode(noise).decode())))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    for query in QUERIES:
        try:
            assert not text or logs_question([*query, ("cursor", text)], NOW) is None
        except BadParameter as refused:
            assert refused.name == "cursor"


@given(st.one_of(st.integers(), st.none()), st.one_of(st.integers(), st.none()), st.binary(max_size=9))
def test_no_place_does_worse_than_be_refused(before: int | None, end: int | None, noise: bytes) -> None:
    question = logs_question([("range", "week")], NOW)
    known = cursor._fingerprint(question)
    for fingerprint in (noise, known):
        try:
            packed = msgspec.msgpack.encode((before, end, fingerprint))
        except OverflowError:
            return
        try:
            found = cursor.decode(base64.urlsafe_b64encode(packed).decode().rstrip("="), question)
        except BadParameter as refused:
            assert refused.name == "cursor"
        else:
            assert found.start is not None
            assert found.end is not None
            assert found.end - found.start == RANGES["week"]
