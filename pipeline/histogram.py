"""How latencies are spread: counts in bins so narrow that whatever lies in one is told to within one per cent.

The mapping is DDSketch's (Masson, Rim and Lee 2019), for whole milliseconds: a bin ends at 101/99 of its
beginning, so that up to 49 ms each latency has a bin of its own and is told exactly. A histogram is kept as a blob,
sorted (bin, count) pairs of six bytes; merging is adding, and a stored histogram means the same in every version.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]

RELATIVE_ERROR: Final = 0.01
EXACT: Final = 49  # ms: up to here a latency is told as it is
EMPTY: Final = b""
_ENTRY = np.dtype([("bin", "<u2"), ("count", "<u4")])
_MOST = 0xFFFF_FFFF  # what one entry can count; a bin with more has several


def _ends() -> npt.NDArray[np.int64]:
    """The largest latency (ms) of each bin, up to 2³¹-1."""
    ends = [0]
    while ends[-1] < 2**31 - 1:
        first = ends[-1] + 1
        ends.append(max(first, first * 101 // 99))
    return np.array(ends, dtype=np.int64)


_LAST: Final = _ends()
BINS: Final = len(_LAST)
_FIRST: Final = np.concatenate([[0], _LAST[:-1] + 1])
# The harmonic mean of a bin's ends is equally far, in proportion, from both.
_VALUES: Final = np.where(_FIRST == _LAST, _LAST, 2.0 * _FIRST * _LAST / np.maximum(_FIRST + _LAST, 1))


# The bins of the latencies that nearly all lines have: looking one up costs a tenth of searching for it.
_COMMON: Final = np.searchsorted(_LAST, np.arange(1 << 14)).astype(np.uint16)


def bins(latencies: npt.ArrayLike) -> npt.NDArray[np.uint16]:
    """The bin of each latency (whole ms, 0 to 2³¹-1)."""
    given = np.asarray(latencies, dtype=np.int64)
    found: npt.NDArray[np.uint16] = _COMMON[np.minimum(given, len(_COMMON) - 1)]
    rare = np.flatnonzero(given >= len(_COMMON))
    found[rare] = np.searchsorted(_LAST, given[rare])
    return found


def blobs(counts: npt.ArrayLike, numbers: npt.NDArray[np.uint16], lengths: Sequence[int]) -> list[bytes]:
    """Histograms one after the other: the first of the first `lengths[0]` pairs of bin number and count, and so on.

    Within a histogram the bins are sorted.
    """
    counted = np.asarray(counts, dtype=np.int64)
    if len(counted) and counted.max() > _MOST:
        parts = -(-counted // _MOST)
        ends = np.cumsum(parts) - 1
        rest = counted - (parts - 1) * _MOST
        numbers, counted = np.repeat(numbers, parts), np.full(int(parts.sum()), _MOST, dtype=np.int64)
        counted[ends] = rest
        lengths = np.add.reduceat(np.append(parts, 0), np.cumsum([0, *lengths[:-1]])).tolist()
    entries = np.empty(len(counted), dtype=_ENTRY)
    entries["bin"], entries["count"] = numbers, counted
    data, size = entries.tobytes(), _ENTRY.itemsize
    found, start = [], 0
    for length in lengths:
        found.append(data[start : start + length * size])
        start += length * size
    return found


def merge(pairs: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Of each sequence of histograms their sum: associative and commutative."""
    flat = [blob for pair in pairs for blob in pair]
    entries = np.frombuffer(b"".join(flat), dtype=_ENTRY)
    owners = np.repeat(np.arange(len(pairs)), [sum(map(len, pair)) // _ENTRY.itemsize for pair in pairs])
    # A cell for each bin of each histogram: some megabytes for a thousand of them, and nothing to sort.
    cells = np.bincount(owners * BINS + entries["bin"], entries["count"], len(pairs) * BINS)
    (filled,) = np.nonzero(cells)
    lengths = np.bincount(filled // BINS, minlength=len(pairs)).tolist()
    return blobs(cells[filled].astype(np.int64), (filled % BINS).astype(np.uint16), lengths)


def totals(found: Iterable[bytes]) -> Counts:
    """The sum of histograms as a count for each bin; shape (BINS,)."""
    entries = np.frombuffer(b"".join(found), dtype=_ENTRY)
    return np.bincount(entries["bin"], entries["count"], BINS).astype(np.int64)


def spread(latencies: npt.ArrayLike, times: npt.ArrayLike, lengths: Sequence[int]) -> list[bytes]:
    """Histograms of latencies (ms), each seen so many times: the first of the first `lengths[0]` of them, and so on."""
    owners = np.repeat(np.arange(len(lengths)), lengths)
    cells, which = np.unique(owners * BINS + bins(latencies), return_inverse=True)
    counts = np.zeros(len(cells), dtype=np.int64)
    np.add.at(counts, which, np.asarray(times, dtype=np.int64))
    of_each = np.bincount(cells // BINS, minlength=len(lengths)).tolist()
    return blobs(counts, (cells % BINS).astype(np.uint16), of_each)


def quantile(counts: Counts, *q: float) -> list[float | None]:
    """The latencies (ms) that each share `q` of all do not exceed, by nearest rank, to within 1 %; None of nothing."""
    reached = np.cumsum(counts)
    if not (total := int(reached[-1])):
        return [None] * len(q)
    found = _VALUES[np.searchsorted(reached, [_rank(one, total) for one in q])]
    return [round(value, 4) for value in found.tolist()]


def _rank(q: float, total: int) -> int:
    """Nearest rank, counted from 1."""
    return max(1, math.ceil(round(q * total, 6)))  # 0.07 * 100 is a little more than 7
