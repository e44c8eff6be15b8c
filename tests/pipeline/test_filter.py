"""`DISCARD_STATUS`: which lines are not stored."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigurationError
from pipeline.filter import discarded


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ("200", {200}),
        ("200,301", {200, 301}),
        (" 200 , 301 ,", {200, 301}),
        ("2xx", set(range(200, 300))),
        ("2XX,304", {*range(200, 300), 304}),
        ("1xx,5xx", {*range(100, 200), *range(500, 600)}),
        ("200,2xx", set(range(200, 300))),
        ("", set()),
        (" , ", set()),
    ],
)
def test_statuses_and_classes_are_discarded(rule: str, statuses: set[int]) -> None:
    assert discarded(rule) == statuses


@pytest.mark.parametrize("part", ["20", "2000", "600", "099", "6xx", "0xx", "2x", "20x", "200-299", "٢٠٠", "+200"])
def test_what_is_neither_a_status_nor_a_class_is_named(part: str) -> None:
    with pytest.raises(ConfigurationError, match="DISCARD_STATUS") as refused:
        discarded(f"200,{part}")
    assert repr(part) in str(refused.value)
