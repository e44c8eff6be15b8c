"""What a run of the bench found, in a table."""

from __future__ import annotations

import msgspec


class Drained(msgspec.Struct, frozen=True):
    """One stretch of load: lines/s from the first request to the last row, the 202s' milliseconds, refusals."""

    rate: float
    p50: float
    p99: float
    refused: int


class Report(msgspec.Struct, frozen=True):
    """A whole run: rates in lines/s, `drained` by lines an upload, `visible` the p50 and p99 in milliseconds."""

    machine: str
    yardstick: float
    drained: dict[int, Drained]
    visible: tuple[float, float]
    megabytes: dict[str, float]
    cpu_seconds: dict[str, float]
    naive: float

    def text(self) -> str:
        """The report for a person."""
        rows = [
            self.machine,
            f"yardstick y: one core takes apart {self.yardstick:,.0f} lines/s in plain Python",
            "",
            f"{'':<28}{'lines/s':>12}{'share of y':>12}{'202 p50':>12}{'202 p99':>12}",
        ]
        for lines, found in self.drained.items():
            rows.append(
                f"{f'drained, {lines:,}-line uploads':<28}{found.rate:>12,.0f}{found.rate / self.yardstick:>12.3f}"
                f"{found.p50:>9.1f} ms{found.p99:>9.1f} ms"
            )
        rows.append(f"{'naive, a line at a time':<28}{self.naive:>12,.0f}{self.naive / self.yardstick:>12.3f}")
        rows += [
            "",
            f"visible after the 202, at 10,000 lines/s: p50 {self.visible[0]:.0f} ms, p99 {self.visible[1]:.0f} ms",
            "",
            f"{'process':<12}{'resident':>12}{'CPU s / M lines':>18}",
        ]
        rows += [
            f"{name:<12}{megabytes:>9.0f} MB{self.cpu_seconds[name]:>18.2f}"
            for name, megabytes in self.megabytes.items()
        ]
        return "\n".join(rows)
