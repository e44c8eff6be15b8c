"""What the pipeline is to reach, and whether it did: rates as shares of the yardstick, times in proportion to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cli.bench.trial import Trial, Workload, middle
from cli.bench.yardstick import REFERENCE

# Shares of the yardstick.
DRAINED: Final = {Workload(100, 0.3): 0.12, Workload(1_000, 0.3): 0.16, Workload(100, 1.0): 0.05}
# Of the drained rate: where visibility is measured, and where the 202.
TWENTIETH, HALF = 0.05, 0.5
VISIBLE, LONE, ANSWERED = (100.0, 250.0), 150.0, (5.0, 30.0)  # ms: p50 and p99, p99, p50 and p99
RESIDENT: Final = 500.0  # MB, of all our processes
# At twice the load past which no more is drained, the share of the most that is drained at any.
PAST_THE_KNEE: Final = 0.9


class Target(NamedTuple):
    """One target and what was found, in words."""

    name: str
    wanted: str
    found: str
    met: bool


def targets(
    workloads: Sequence[Sequence[Trial]], lone: Trial, sweep: Sequence[Sequence[Trial]], yardstick: float
) -> Iterator[Target]:
    """Every target for which there are trials, each load's repeats; the sweep's are the least load first."""
    drained, offered = list(map(middle, workloads)), list(map(middle, sweep))
    for one in drained:
        share = one.rate / yardstick
        if wanted := DRAINED.get(one.workload):
            yield Target(f"drained, {one.workload}", f"≥ {wanted:.2f} y", f"{share:.3f} y", share >= wanted)
    for name, found, milliseconds in _times(lone, offered, drained[0].rate):
        most = milliseconds * REFERENCE / yardstick
        yield Target(name, f"≤ {most:.0f} ms", f"{found:.0f} ms", found <= most)
    resident = max(sum(one.megabytes.values()) for repeats in (*workloads, *sweep, [lone]) for one in repeats)
    yield Target("resident, all our processes", f"≤ {RESIDENT:.0f} MB", f"{resident:.0f} MB", resident <= RESIDENT)
    yield from _past_the_knee(offered)


def _times(lone: Trial, sweep: Sequence[Trial], rate: float) -> Iterator[tuple[str, float, float]]:
    """Each target in milliseconds: its name, what was found, and what is wanted where the yardstick is REFERENCE."""
    twentieth, half = (_nearest(sweep, rate * share) for share in (TWENTIETH, HALF))
    if twentieth.visible:
        yield "visible, at a twentieth of the drained rate, p50", twentieth.visible.p50, VISIBLE[0]
        yield "visible, at a twentieth of the drained rate, p99", twentieth.visible.p99, VISIBLE[1]
    if lone.visible:
        yield "visible, a lone upload, p99", lone.visible.p99, LONE
    yield "202, at half the drained rate, p50", half.answered.p50, ANSWERED[0]
    yield "202, at half the drained rate, p99", half.answered.p99, ANSWERED[1]


def _past_the_knee(sweep: Sequence[Trial]) -> Iterator[Target]:
    """Nothing where the sweep does not go that far."""
    most = max(one.drained for one in sweep)
    past = [one for one in sweep if one.offered >= 2 * most]
    if past:
        share = past[0].drained / most
        name = "drained at twice the knee's load, of the most"
        yield Target(name, f"≥ {PAST_THE_KNEE:.0%}", f"{share:.0%}", share >= PAST_THE_KNEE)


def _nearest(sweep: Sequence[Trial], offered: float) -> Trial:
    return min(sweep, key=lambda one: abs(one.offered - offered))
