"""What a run of the bench found, as tables in Markdown; msgspec makes JSON of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import linear_regression, median_low

import msgspec

from cli.bench.targets import targets
from cli.bench.trial import Spread, Trial, Workload, middle
from cli.bench.wall import Wall

Row = tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """A whole run: of each workload its repeats, and of each offered load of the sweep, the least first.

    `yardsticks` are those before and after, in lines/s; `lone` is of single lines, far apart; `soak` has a trial for
    each minute; `rows` were counted in the database at the end. Where there was time for it, `naive` is the naive
    pipeline's rate in lines/s, and `walls` are what the parts of those workloads that are to reach a rate need
    alone, and what comes through them at once.
    """

    machine: str
    cores: int
    yardsticks: tuple[float, float]
    workloads: list[list[Trial]]
    lone: Trial
    sweep: list[list[Trial]]
    soak: list[Trial]
    rows: int
    naive: float | None
    walls: list[Wall]

    @property
    def yardstick(self) -> float:
        """The mean of both."""
        return sum(self.yardsticks) / 2

    def text(self) -> str:
        """The report for a person."""
        before, after = self.yardsticks
        said = [
            self.machine,
            f"yardstick y: one core takes apart {self.yardstick:,.0f} lines/s in plain Python"
            f" ({before:,.0f} before, {after:,.0f} after)",
            f"{self.rows:,} rows were to be stored, and are",
        ]
        tables = [self._rates(), self._costs(), self._bytes(), self._swept(), self._memory()]
        tables += [self._soaked()] if self.soak else []
        tables += [self._walls(), self._at_once()] if self.walls else []
        return "\n\n".join(["\n".join(said), *map(_table, [*tables, self._targets()])])

    def _rates(self) -> Iterator[Row]:
        yield "drained", "lines/s", "from", "to", "of y", "lines a batch", "202 p50", "202 p99", "refused"
        for repeats in self.workloads:
            one, rates = middle(repeats), [each.rate for each in repeats]
            yield (
                str(one.workload),
                *_whole(one.rate, min(rates), max(rates)),
                f"{one.rate / self.yardstick:.3f}",
                *_whole(one.batch_lines),
                *_times(one.answered),
                *_whole(sum(each.refused for each in repeats)),
            )
        if self.naive is not None:
            yield "naive, a line at a time", *_whole(self.naive), "", "", f"{self.naive / self.yardstick:.3f}"

    def _costs(self) -> Iterator[Row]:
        names = list(self.lone.cpu_seconds)
        yield "CPU s / million lines", *names, "all", "cores busy"
        for repeats in self.workloads:
            one = middle(repeats)
            spent = [one.cpu_seconds[name] for name in names]
            busy = median_low(each.cores_busy for each in repeats)
            yield str(one.workload), *(f"{number:.2f}" for number in (*spent, sum(spent), busy))

    def _walls(self) -> Iterator[Row]:
        yield "CPU s / million lines, each part alone", *(str(wall.workload) for wall in self.walls)
        for name in self.walls[0].cpu_seconds:
            yield name, *(f"{wall.cpu_seconds[name]:.2f}" for wall in self.walls)
        alone = [sum(wall.cpu_seconds.values()) for wall in self.walls]
        yield "all", *(f"{seconds:.2f}" for seconds in alone)
        rates = [self.cores / seconds * 1e6 for seconds in alone]
        yield f"the wall: lines/s on {self.cores} cores", *_whole(*rates)
        yield "of y", *(f"{rate / self.yardstick:.3f}" for rate in rates)
        ours = [self._drained(wall.workload) for wall in self.walls]
        yield "drained, of the wall", *(f"{one / rate:.0%}" for one, rate in zip(ours, rates, strict=True))

    def _at_once(self) -> Iterator[Row]:
        yield (
            *("all parts at once", "lines/s", "from", "to", "of y", "drained, of that", "CPU s / million lines"),
            *("cores busy", "202 p50, at half of what is drained", "p99"),
        )
        for wall in self.walls:
            least, one, most = sorted(wall.at_once, key=lambda each: each.rate)
            yield (
                str(wall.workload),
                *_whole(one.rate, least.rate, most.rate),
                f"{one.rate / self.yardstick:.3f}",
                f"{self._drained(wall.workload) / one.rate:.0%}",
                f"{one.cpu_seconds:.2f}",
                f"{one.cores_busy:.2f}",
                *_times(wall.half.answered),
            )

    def _drained(self, workload: Workload) -> float:
        return next(middle(repeats).rate for repeats in self.workloads if repeats[0].workload == workload)

    def _bytes(self) -> Iterator[Row]:
        names = list(self.lone.bytes)
        yield "bytes a line", *names
        for one in map(middle, self.workloads):
            yield str(one.workload), *(f"{one.bytes[name]:.1f}" for name in names)

    def _swept(self) -> Iterator[Row]:
        yield (
            *("offered, lines/s", "acknowledged", "drained", "waiting at the end", "refused"),
            *("visible p50", "visible p99", "202 p50", "202 p99", "CPU s / million lines", "cores busy"),
        )
        for repeats in self.sweep:
            one = middle(repeats)
            rates = _whole(one.offered, one.acknowledged, one.drained, one.waiting, one.refused)
            spent, busy = sum(one.cpu_seconds.values()), median_low(each.cores_busy for each in repeats)
            yield *rates, *_times(one.visible), *_times(one.answered), f"{spent:.2f}", f"{busy:.2f}"
        yield "single lines, far apart", "", "", "", "", *_times(self.lone.visible), *_times(self.lone.answered)

    def _memory(self) -> Iterator[Row]:
        trials = [*_in_turn([*self.workloads, *self.sweep]), self.lone]
        names = list(self.lone.megabytes)
        yield "resident, MB", *names, "all"
        taken = [[*(one.megabytes[name] for name in names), sum(one.megabytes.values())] for one in trials]
        yield "after the first trial", *_whole(*taken[0])
        yield "at most", *_whole(*map(max, zip(*taken, strict=True)))
        yield "after the last", *_whole(*taken[-1])

    def _soaked(self) -> Iterator[Row]:
        names = list(self.lone.megabytes)
        yield (
            "minute",
            "drained, lines/s",
            "waiting at the end",
            "CPU s / million lines",
            *(f"{name}, MB" for name in names),
        )
        for minute, one in enumerate(self.soak, 1):
            spent = sum(one.cpu_seconds.values())
            yield str(minute), *_whole(one.drained, one.waiting), f"{spent:.2f}", *_whole(*one.megabytes.values())
        if len(self.soak) > 1:
            hours = [minute / 60 for minute in range(len(self.soak))]
            slopes = (linear_regression(hours, [one.megabytes[name] for one in self.soak]).slope for name in names)
            yield "more an hour", "", "", "", *(f"{slope:+.1f}" for slope in slopes)

    def _targets(self) -> Iterator[Row]:
        yield "target", "wanted", "found", "met"
        for one in targets(self.workloads, self.lone, self.sweep, self.yardstick):
            yield one.name, one.wanted, one.found, "yes" if one.met else "**no**"


def _in_turn(loads: Sequence[Sequence[Trial]]) -> Iterator[Trial]:
    """Their trials in the order in which they were run."""
    for turn in zip(*loads, strict=True):
        yield from turn


def _whole(*numbers: float) -> Row:
    return tuple(f"{number:,.0f}" for number in numbers)


def _times(spread: Spread | None) -> Row:
    return tuple(f"{milliseconds:.1f} ms" for milliseconds in (spread.p50, spread.p99)) if spread else ("", "")


def _table(rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown whose columns stand below each other; numbers to the right, what they are of to the left."""
    first, *rest = rows
    filled = [[*row, *[""] * (len(first) - len(row))] for row in (first, *rest)]
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    lines = [
        [
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in filled
    ]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))
