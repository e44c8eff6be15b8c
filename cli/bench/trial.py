"""One trial: what a load cost and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low, quantiles
from typing import Any, NamedTuple

import msgspec


class Workload(NamedTuple):
    """Lines an upload, and the share of them that is stored."""

    lines: int
    kept: float

    def __str__(self) -> str:
        return f"{self.lines:,}-line uploads, {self.kept:.0%} kept"


class Spread(msgspec.Struct, frozen=True):
    """Milliseconds: the median, the 99th percent, and the longest."""

    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Spread:
        """The spread of two values at least."""
        hundredths = quantiles(milliseconds, n=100, method="inclusive")
        return cls(hundredths[49], hundredths[98], max(milliseconds))


class Trial(msgspec.Struct, frozen=True):
    """One workload, offered at a rate or, with `offered` 0, sent as fast as it was answered. Rates are in lines/s.

    `acknowledged` and `drained` are rates while it was sent, `rate` is that from the first request until the last row
    could be queried; `waiting` lines were acknowledged and not drained when the last upload was answered.

    `answered` is from when an upload was due until its 202, `visible`, of paced uploads, from the 202 until the row
    could be queried. `cpu_seconds` are a million lines', by process; `bytes` a line's, by hop; `megabytes` what our
    processes had at the end of the load. A batch had `batch_lines` on the average.
    """

    workload: Workload
    offered: float
    acknowledged: float
    drained: float
    rate: float
    waiting: int
    batch_lines: float
    refused: int
    answered: Spread
    visible: Spread | None
    cpu_seconds: dict[str, float]
    bytes: dict[str, float]
    megabytes: dict[str, float]

    @property
    def cores_busy(self) -> float:
        """How many were, on the average, from the first request to the last row."""
        return sum(self.cpu_seconds.values()) * self.rate / 1e6


def middle(repeats: Sequence[Trial]) -> Trial:
    """Of every number of a load's trials the median; of two the lower."""
    found: Trial = msgspec.convert(_medians([msgspec.to_builtins(one) for one in repeats]), Trial)
    return found


def _medians(found: Sequence[Any]) -> Any:
    """Of values of one shape those of the same shape in which every number is the median."""
    first = found[0]
    if isinstance(first, dict):
        return {name: _medians([one[name] for one in found]) for name in first}
    if isinstance(first, tuple):
        return tuple(map(_medians, zip(*found, strict=True)))
    return first if first is None else median_low(found)
