"""A stretch of time, to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.window import Window, microseconds, moment

SECOND = 1_000_000
_edges = st.builds(
    lambda number, width, by: number * width * SECOND + by,
    st.integers(0, 30_000),
    st.sampled_from([60, 300, 3600]),
    st.sampled_from([-1, 0, 0, 1, SECOND]),
)
_times = st.one_of(_edges, st.integers(0, 30_000 * 3600 * SECOND))
_windows = st.tuples(_times, _times).map(lambda ends: Window(min(ends), max(ends) + 1))
# As buckets of long ago are: the first is as wide as the last, or wider by a whole factor.
_widths = st.sampled_from([(60, 60), (3600, 60), (3600, 3600), (86_400, 60), (300, 300), (86_400, 86_400)])


@given(st.datetimes(), st.datetimes())
def test_both_ends_are_included(one: datetime, other: datetime) -> None:
    first, last = (at.replace(tzinfo=UTC) for at in sorted((one, other)))
    window = Window.of(first, last)
    assert (window.first, window.last) == (first, last)
    assert window == Window.of(first.replace(tzinfo=None), last.replace(tzinfo=None))
    assert timedelta(microseconds=window.stop - window.start) == last - first + timedelta(microseconds=1)
    assert (moment(microseconds(first)), window.seconds > 0) == (first, True)


@given(_windows, _widths)
def test_whole_buckets_and_edges_are_the_window_without_gap_or_overlap(window: Window, widths: tuple[int, int]) -> None:
    first, end, edges = window.split(*widths)
    parts = sorted([*edges, *([Window(first * SECOND, end * SECOND)] if first < end else [])])
    assert (parts[0].start, parts[-1].stop) == window
    assert all(one.stop == other.start for one, other in pairwise(parts))
    assert all(edge.start < edge.stop for edge in edges)
    if first < end:
        assert (first % widths[0], end % widths[1]) == (0, 0)
        assert first * SECOND - window.start < widths[0] * SECOND
        assert window.stop - end * SECOND < widths[1] * SECOND


@given(_windows, _widths)
def test_widened_it_is_the_buckets_that_it_touches_and_no_more(window: Window, widths: tuple[int, int]) -> None:
    whole = window.widened(*widths)
    first, last = (width * SECOND for width in widths)
    assert (whole.start % first, whole.stop % last) == (0, 0)
    assert whole.start <= window.start < whole.start + first
    assert whole.stop - last < window.stop <= whole.stop
    assert whole.split(*widths) == (whole.start // SECOND, whole.stop // SECOND, [])


@given(_windows)
def test_the_window_before_ends_where_it_begins_and_is_as_long(window: Window) -> None:
    before = window.before()
    assert before.stop == window.start
    length = window.stop - window.start
    assert before.stop - before.start == min(length, window.start)


def test_nothing_is_before_the_epoch() -> None:
    assert Window(0, 10).before() == Window(0, 0)
    assert Window(0, 0).seconds == 0
    assert Window(0, 0).split(60, 60) == (0, 0, [])
