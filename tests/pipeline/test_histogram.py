"""Histograms of latencies: they merge like multisets, and tell percentiles to one per cent."""

from __future__ import annotations

import struct
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import histogram

MOST = 2**31 - 1
latencies = st.lists(
    st.one_of(st.integers(0, 60), st.integers(0, 5000), st.integers(0, MOST), st.just(MOST)), max_size=30
)


def blob(found: list[int]) -> bytes:
    """A histogram, a bin at a time."""
    bins = Counter(int(number) for number in histogram.bins(found))
    return b"".join(struct.pack("<HI", *entry) for entry in sorted(bins.items()))


def nearest(found: list[int], q: float) -> int:
    """Nearest rank, in hundredths so that no float decides."""
    return sorted(found)[max(1, -(-round(q * 100) * len(found) // 100)) - 1]


@given(latencies, latencies, latencies)
def test_merging_is_associative_and_commutative_and_the_same_as_counting_all_at_once(
    one: list[int], two: list[int], three: list[int]
) -> None:
    a, b, c = map(blob, (one, two, three))
    ((left,), (right,)) = histogram.merge([[a, b]]), histogram.merge([[b, c]])
    assert histogram.merge([[left, c], [a, right], [c, b, a]]) == [blob(one + two + three)] * 3
    assert histogram.merge([[a, histogram.EMPTY], [b]]) == [a, b]


@given(st.lists(latencies, max_size=5))
def test_many_are_made_at_once(found: list[list[int]]) -> None:
    flat = [latency for one in found for latency in one]
    assert histogram.spread(flat, [1] * len(flat), [len(one) for one in found]) == list(map(blob, found))


@given(latencies, st.sampled_from([0.01, 0.07, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_percentiles_are_those_of_nearest_rank_to_one_per_cent(one: list[int], q: float) -> None:
    (told,) = histogram.quantile(histogram.totals([blob(one[::2]), blob(one[1::2])]), q)
    if not one:
        assert told is None
        return
    assert told is not None
    assert abs(told - nearest(one, q)) <= histogram.RELATIVE_ERROR * nearest(one, q) + 0.0001
    if nearest(one, q) <= histogram.EXACT:
        assert told == nearest(one, q)


@given(st.integers(0, MOST))
def test_every_latency_has_a_bin_that_is_told_to_one_per_cent(latency: int) -> None:
    (told,) = histogram.quantile(histogram.totals([blob([latency])]), 0.5)
    assert told is not None
    assert abs(told - latency) <= histogram.RELATIVE_ERROR * latency + 0.0001


def test_bins_grow_with_latencies() -> None:
    every = np.unique(np.concatenate([np.arange(10_000), np.geomspace(1, MOST, 5000).astype(np.int64)]))
    bins = histogram.bins(every).astype(int)
    assert (np.diff(bins) >= 0).all()
    assert (bins[0], bins[-1] < histogram.BINS) == (0, True)
    assert histogram.bins([histogram.EXACT, histogram.EXACT + 1, histogram.EXACT + 2]).tolist() == [49, 50, 50]


@pytest.mark.parametrize("times", [2**32 - 1, 2**32, 2**33 + 7])
def test_a_bin_may_hold_more_than_one_entry_counts(times: int) -> None:
    (found,) = histogram.spread([7], [times], [1])
    assert histogram.totals([found])[7] == times
    (doubled, other) = histogram.merge([[found, found], [blob([3])]])
    assert histogram.totals([doubled])[7] == 2 * times
    assert other == blob([3])
    assert histogram.quantile(histogram.totals([doubled]), 0.99) == [7.0]


def test_nothing_has_no_percentile() -> None:
    assert histogram.quantile(histogram.totals([histogram.EMPTY]), 0.5) == [None]
    assert histogram.quantile(histogram.totals([]), 0.5, 0.9) == [None, None]
    assert histogram.spread([], [], []) == []
