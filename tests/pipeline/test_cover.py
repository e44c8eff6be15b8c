"""A stretch of time as few buckets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.cover import cover
from pipeline.rollup import REQUEST_LEVELS, VISITOR_LEVELS

_levels = st.sampled_from([REQUEST_LEVELS, VISITOR_LEVELS])


@given(levels=_levels, first=st.integers(0, 20_000), length=st.integers(-2, 20_000))
def test_spans_cover_a_stretch_exactly_and_in_order(levels: tuple[int, ...], first: int, length: int) -> None:
    start, end = first * levels[0], (first + length) * levels[0]
    position = start
    for span in cover(start, end, levels):
        assert span.first == position < span.end
        assert span.first % span.level == span.end % span.level == 0
        position = span.end
    assert position == max(start, end) if length >= 0 else position == start


@given(levels=_levels, first=st.integers(0, 20_000), length=st.integers(0, 20_000))
def test_spans_are_few_and_no_wider_bucket_would_fit(levels: tuple[int, ...], first: int, length: int) -> None:
    spans = cover(first * levels[0], (first + length) * levels[0], levels)
    assert len(spans) <= 2 * len(levels) - 1
    for span, wider in ((span, wider) for span in spans for wider in levels if wider > span.level):
        whole = range(-(-span.first // wider) * wider, span.end - wider + 1, wider)
        assert not whole


def test_a_week_is_a_few_days_hours_and_minutes() -> None:
    week = 7 * 86_400
    spans = cover(1_000_000 * 60, 1_000_000 * 60 + week, REQUEST_LEVELS)
    assert sum((span.end - span.first) // span.level for span in spans) <= 6 + 2 * 23 + 2 * 59
