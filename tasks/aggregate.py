"""A frame of lines as the rollups' deltas. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from pipeline import histogram, rollup, visitors
from pipeline.histogram import BINS
from tasks.columns import Numbers, coded, places, runs

_METHODS: Final = sorted((*rollup.METHODS, rollup.OTHER_METHOD))  # as MySQL sorts them
_STATUSES: Final = 1_000


class Rollups(NamedTuple):
    """What a batch adds to the rollups, sorted by key.

    `requests`: (level, bucket, kept, status, method, requests, latency_sum, latency_max, latency);
    `routes`: (level, bucket, route, kept, class, requests, latency_sum, latency_max, latency);
    `visitors`: (level, bucket, kept, sketch).
    """

    requests: list[tuple[Any, ...]]
    routes: list[tuple[Any, ...]]
    visitors: list[tuple[int, int, int, bytes]]


def aggregate(frame: pl.DataFrame) -> Rollups:
    """The deltas of a frame of lines (as `Parsed.frame` of `tasks.frame`, `kept`, a boolean, and `route`, an id)."""
    if frame.is_empty():
        return Rollups([], [], [])
    known = pl.col("method").cast(pl.Enum(_METHODS), strict=False).fill_null(rollup.OTHER_METHOD)
    columns = frame.select(
        pl.col("minute", "kept", "status", "route", "latency").cast(pl.Int64),
        known.to_physical().cast(pl.Int64).alias("method"),
    )
    minute, kept, status, route, latency, method = (column.to_numpy() for column in columns)
    lines = _Lines(minute, latency, histogram.bins(latency).astype(np.int64))
    return Rollups(
        _counted(lines, rollup.REQUEST_LEVELS, (kept * _STATUSES + status) * len(_METHODS) + method, _of_requests),
        _counted(lines, rollup.ROUTE_LEVELS, (route * 2 + kept) * 10 + status // 100, _of_routes),
        _sketches(frame["ip"], minute, kept),
    )


class _Lines(NamedTuple):
    """Of each line its minute (seconds), its latency (ms) and the bin of that; all of shape (n,)."""

    minute: Numbers
    latency: Numbers
    bin: Numbers


def _counted(
    lines: _Lines, levels: Sequence[int], keys: Numbers, parts: Callable[[Numbers], Sequence[Sequence[Any]]]
) -> list[tuple[Any, ...]]:
    """One row a bucket of each level and key; a key is a number that sorts as the columns do that `parts` makes of it.

    A sort and sums over its runs: on some thousand lines a tenth of what grouping by columns costs. The lines are
    summed once, by minute, key and bin; each level sums those sums, of which there are a tenth as many.
    """
    cell = keys * BINS + lines.bin
    order = np.argsort(cell)
    # Most batches have one minute: what is sorted already costs a look.
    order = order[np.argsort(lines.minute[order], kind="stable")]
    latency = lines.latency[order]
    cells = _Cells.summed(lines.minute[order], cell[order], np.ones_like(order), latency, latency)
    rows: list[tuple[Any, ...]] = []
    for level in levels:
        cells = cells.widened(level)
        filled, bins = np.divmod(cells.cell, BINS)
        starts = runs(cells.bucket, filled)
        rows += zip(
            [level] * len(starts),
            cells.bucket[starts].tolist(),
            *parts(filled[starts]),
            np.add.reduceat(cells.lines, starts).tolist(),
            np.add.reduceat(cells.latency_sum, starts).tolist(),
            np.maximum.reduceat(cells.latency_max, starts).tolist(),
            histogram.blobs(cells.lines, bins.astype(np.uint16), np.diff(starts, append=len(filled)).tolist()),
            strict=True,
        )
    return rows


class _Cells(NamedTuple):
    """Sums of lines, sorted by bucket (seconds) and cell (key and bin), all of shape (n,): how many lines, and their
    latencies' sum and maximum (ms)."""

    bucket: Numbers
    cell: Numbers
    lines: Numbers
    latency_sum: Numbers
    latency_max: Numbers

    @classmethod
    def summed(cls, bucket: Numbers, cell: Numbers, lines: Numbers, sums: Numbers, maxima: Numbers) -> _Cells:
        """The sums of what is sorted by bucket and cell."""
        starts = runs(bucket, cell)
        return cls(
            bucket[starts],
            cell[starts],
            np.add.reduceat(lines, starts),
            np.add.reduceat(sums, starts),
            np.maximum.reduceat(maxima, starts),
        )

    def widened(self, level: int) -> _Cells:
        """The same in wider buckets."""
        bucket = self.bucket - self.bucket % level
        if self.bucket[0] == self.bucket[-1]:
            return self._replace(bucket=bucket)
        by = np.lexsort((self.cell, bucket))
        return self.summed(bucket[by], *(column[by] for column in self[1:]))


def _of_requests(keys: Numbers) -> Sequence[Sequence[Any]]:
    """Kept, status, method."""
    rest, methods = np.divmod(keys, len(_METHODS))
    kept, status = np.divmod(rest, _STATUSES)
    return kept.tolist(), status.tolist(), [_METHODS[number] for number in methods.tolist()]


def _of_routes(keys: Numbers) -> Sequence[Sequence[Any]]:
    """Route, kept, class."""
    return (keys // 20).tolist(), (keys // 10 % 2).tolist(), (keys % 10).tolist()


def _sketches(addresses: pl.Series, minute: Numbers, kept: Numbers) -> list[tuple[int, int, int, bytes]]:
    """The sketches of the finest level, and of the wider ones as their unions."""
    # Many of a batch's addresses are the same, and a hash costs more than finding that out.
    distinct, numbers = coded(addresses)
    index, rank = visitors.ranks(visitors.hashes(distinct.to_list()))
    finest = (minute - minute % rollup.FIVE_MINUTES) * 2 + kept
    levels: dict[int, dict[tuple[int, int], list[bytes]]] = {level: {} for level in rollup.VISITOR_LEVELS}
    for one, lines in places(finest):
        seen = numbers.to_numpy()[lines]
        sketch = visitors.from_ranks(index[seen], rank[seen])
        for level, buckets in levels.items():
            bucket = one // 2
            buckets.setdefault((bucket - bucket % level, one % 2), []).append(sketch)
    return sorted(
        (level, bucket, kept, sketches[0] if len(sketches) == 1 else visitors.merge(sketches))
        for level, buckets in levels.items()
        for (bucket, kept), sketches in buckets.items()
    )
