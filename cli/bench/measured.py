"""What the bench of queries found, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from cli.bench.kinds import Kind
from cli.bench.plans import Plan
from cli.bench.yardstick import REFERENCE

# The same query may take so much longer of more rows, in proportion and in milliseconds, before it counts as slower.
_NOISE, _NOISE_MS = 1.25, 1.0
EXPORT_ROWS: Final = 200_000.0  # a second
CACHED_SHARE: Final = 1.5


class Times(msgspec.Struct, frozen=True):
    """Milliseconds of a kind of request, of so many of them; `warm` with the cache, where it has one."""

    asked: int
    p50: float
    p99: float
    warm_p50: float | None = None
    warm_p99: float | None = None
    coverage: float = 1.0  # the least share of the rows that was looked at
    failed: int = 0  # how many answers were no 200


class Size(msgspec.Struct, frozen=True):
    """All that was measured of a database of so many rows; rates are a second."""

    rows: int
    fill_seconds: float
    times: dict[str, Times]
    plans: dict[str, list[Plan]]
    export_rows: float
    cached_requests: float
    bare_requests: float


class Measured(msgspec.Struct, frozen=True):
    """A whole run: what was measured at each size, the smallest first."""

    machine: str
    database: str
    yardstick: float
    sizes: list[Size]

    @property
    def slower(self) -> float:
        """How many times slower than the targets' machine this one is by its yardstick."""
        return REFERENCE / self.yardstick

    def met(self, kind: Kind) -> str:
        """Whether the largest database met a kind's target: `yes`, or what is wrong."""
        most = self.sizes[-1].times[kind.name]
        wrong = [f"{most.failed} of {most.asked} failed"] if most.failed else []
        if most.p50 > kind.target.p50 * self.slower:
            wrong.append("p50")
        if kind.target.p99 is not None and most.p99 > kind.target.p99 * self.slower:
            wrong.append("p99")
        least = self.sizes[0].times.get(kind.name)
        if kind.constant and least and most.p50 > least.p50 * _NOISE + _NOISE_MS:
            wrong.append("grows")
        return ", ".join(wrong) or "yes"

    def text(self, kinds: Sequence[Kind]) -> str:
        """The tables, in Markdown; `kinds` are those of the largest database."""
        lines = [
            f"{self.machine}; {self.database}",
            "",
            f"yardstick y: one core takes apart {self.yardstick:,.0f} lines/s in plain Python; targets are times"
            f" {self.slower:.2f}",
            "",
            _row(
                "milliseconds",
                *(f"{size.rows:,} rows: cold p50 | p99 | cached p50 | p99" for size in self.sizes),
                "met",
            ),
            _row("---", *["---:"] * 4 * len(self.sizes), "---"),
        ]
        for kind in kinds:
            cells = [cell for size in self.sizes for cell in _cells(size.times.get(kind.name))]
            lines.append(_row(f"`{kind.name}`", *cells, self.met(kind)))
        lines += ["", _row("", *(f"{size.rows:,} rows" for size in self.sizes), "met")]
        lines.append(_row("---", *["---:"] * len(self.sizes), "---"))
        last = self.sizes[-1]
        export = last.export_rows >= EXPORT_ROWS / self.slower
        share = last.cached_requests / last.bare_requests >= CACHED_SHARE
        lines += [
            _row("rows/s filled", *(f"{size.rows / size.fill_seconds:,.0f}" for size in self.sizes), ""),
            _row("rows/s exported", *(f"{size.export_rows:,.0f}" for size in self.sizes), "yes" if export else "no"),
            _row("cached `/stats`, requests/s", *(f"{size.cached_requests:,.0f}" for size in self.sizes), ""),
            _row("a bare Flask view, requests/s", *(f"{size.bare_requests:,.0f}" for size in self.sizes), ""),
            _row(
                "share",
                *(f"{size.cached_requests / size.bare_requests:.2f}" for size in self.sizes),
                "yes" if share else "no",
            ),
            "",
        ]
        wholes: dict[tuple[str, str, str], list[str]] = {}
        for name, plans in last.plans.items():
            for plan in plans:
                if plan.whole:
                    wholes.setdefault((plan.table, plan.how, plan.key), []).append(name)
        lines.append(f"read as a whole at {last.rows:,} rows: {'' if wholes else 'nothing'}")
        lines += [f"- {' '.join(how)}: {', '.join(f'`{name}`' for name in names)}" for how, names in wholes.items()]
        return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(times: Times | None) -> list[str]:
    if times is None:
        return ["-"] * 4
    cold = f"{times.p50:.1f}" + (f" (of {times.coverage:.1%})" if times.coverage < 1 else "")
    return [
        cold,
        f"{times.p99:.1f}",
        *("" if one is None else f"{one:.1f}" for one in (times.warm_p50, times.warm_p99)),
    ]
