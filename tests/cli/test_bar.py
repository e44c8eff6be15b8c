"""Bars of a chart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cli.bar import bar


def test_a_bar_is_as_long_as_its_value_to_an_eighth() -> None:
    assert [bar([(value, "")], 16, 2).plain for value in (0, 1, 7, 8, 9, 16)] == ["", "▏", "▉", "█", "█▏", "██"]


def test_what_is_not_nothing_is_seen() -> None:
    assert bar([(1, "")], 10**9, 8).plain == "▏"


def test_a_scale_of_nothing_has_no_bars() -> None:
    assert bar([(0, ""), (0, "red")], 0, 8).plain == ""


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.integers(0, 10**6), st.integers(1, 60))
def test_parts_are_together_as_long_as_their_sum_and_never_too_long(parts: list[int], more: int, width: int) -> None:
    most = sum(parts) + more
    drawn = bar([(value, "red") for value in parts], most, width)
    assert len(drawn) <= width
    assert abs(len(drawn) - (sum(parts) / most * width if most else 0)) <= 1
