"""Tables on stdout: ruled and coloured for a person's terminal, tab-separated for everything else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.inert import inert

# Columns of the terminal that a column of text has, however narrow the rest.
_LEAST = 24
_SHORTEST_BAR, _LONGEST_BAR = 8, 60
# What a column takes beside its text.
_BETWEEN = 2


class Column(NamedTuple):
    """A column: numbers stand on the right; `fixed` is the width that it has at least, whatever is in it."""

    name: str
    right: bool = True
    fixed: int | None = None


class Cell(NamedTuple):
    """A value as programs read it, as a person does, and the latter's style."""

    plain: str
    shown: str | Text
    style: str = ""


def word(text: object, style: str = "") -> Cell:
    """Text of anybody's."""
    safe = inert(str(text))
    return Cell(safe, safe, style)


def number(value: float | None, unit: str = "", style: str = "") -> Cell:
    """A count or a measure; None is nothing there."""
    if value is None:
        return NOTHING
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
    return Cell(str(value), f"{shown}{unit}", style)


def share(value: float | None) -> Cell:
    """A fraction of one, shown in per cent."""
    return NOTHING if value is None else Cell(str(value), f"{value:.1%}")


NOTHING = Cell("", "-", "dim")


class Paper:
    """Where a command writes: data on stdout, words about it on stderr."""

    def __init__(self, console: Console | None = None) -> None:
        """`console` is stdout's unless a test has one of its own."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError):
                # A terminal that knows no block characters shows their code, and no traceback.
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        self._console = console or Console(markup=False, highlight=False, emoji=False)

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads."""
        return self._console.is_terminal

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        return self._console.width

    def table(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell]],
        last: Sequence[Cell] = (),
        bars: Sequence[Callable[[int], Text]] = (),
    ) -> None:
        """A table under a header. `last` is a row of its own below the others, such as a total; `bars` draw a chart
        after the first column of a terminal's table, one a row, as wide as they are told.
        """
        if not self.is_terminal:
            self.lines([[word(column.name) for column in columns], *rows, *([last] if last else [])])
            return
        table = _Ruled(columns, [list(map(_text, row)) for row in rows], list(map(_text, last)))
        if bars:
            table.draw(bars, self.width)
        # A number is never cut: what is wider than the terminal, the terminal wraps.
        self._console.print(table.within(self.width), crop=False)

    def lines(self, rows: Iterable[Sequence[Cell]], columns: Sequence[Column] = ()) -> None:
        """Rows alone, under nothing: those of a stream line up with the ones before by their columns' widths."""
        if not self.is_terminal:
            for row in rows:
                sys.stdout.write("\t".join(cell.plain for cell in row) + "\n")
            sys.stdout.flush()
            return
        for row in rows:
            line = Text()
            for cell, column in zip(row, columns, strict=True):
                text = _text(cell)
                pad = " " * max(0, (column.fixed or 0) - text.cell_len)
                line.append_text(Text(pad) + text if column.right else text + Text(pad)).append("  ")
            line.rstrip()
            # Nothing is cut, and what is copied from the terminal is one line.
            self._console.print(line, soft_wrap=True)

    def apart(self) -> None:
        """An empty line between two tables."""
        self.lines([[]])

    def json(self, body: bytes) -> None:
        """JSON as it came, on one line."""
        text = body.decode("utf-8", "replace").strip("\n")
        sys.stdout.write("\n".join(map(inert, text.split("\n"))) + "\n")
        sys.stdout.flush()

    def say(self, words: str) -> None:
        """A sentence about the data, on stderr."""
        click.echo(inert(words), err=True)


class _Ruled:
    """A terminal's table, and how wide its columns are."""

    def __init__(self, columns: Sequence[Column], rows: list[list[Text]], last: list[Text]) -> None:
        self._columns = list(columns)
        self._rows = rows
        self._last = last
        texts = [[Text(column.name) for column in columns], *rows, *([last] if last else [])]
        self._widths = [max(text.cell_len for text in of_column) for of_column in zip(*texts, strict=True)]

    def draw(self, bars: Sequence[Callable[[int], Text]], width: int) -> None:
        """Adds the bars' column."""
        taken = sum(self._widths) + _BETWEEN * len(self._widths)
        room = min(_LONGEST_BAR, max(_SHORTEST_BAR, width - taken))
        self._columns.insert(1, Column("", fixed=room))
        self._widths.insert(1, room)
        for row, bar in zip(self._rows, bars, strict=True):
            row.insert(1, bar(room))
        if self._last:
            self._last.insert(1, Text())

    def within(self, width: int) -> Table:
        """The table for a terminal: text is folded where it must be, numbers never are."""
        texts = [at for at, column in enumerate(self._columns) if not column.right]
        numbers = sum(of for column, of in zip(self._columns, self._widths, strict=True) if column.right)
        room = (width - numbers - _BETWEEN * (len(self._columns) - 1)) // max(1, len(texts))
        widths = list(self._widths)
        for at in texts:
            widths[at] = min(widths[at], max(_LEAST, room))
        ruled = Table(
            box=SIMPLE,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            show_edge=False,
            show_footer=bool(self._last),
            header_style="bold",
            footer_style="bold",
            width=sum(widths) + _BETWEEN * (len(widths) - 1),
        )
        names = [Text(column.name) for column in self._columns]
        footer = self._last or [Text()] * len(widths)
        for column, name, last, of in zip(self._columns, names, footer, widths, strict=True):
            justify: Literal["left", "right"] = "right" if column.right and not column.fixed else "left"
            ruled.add_column(name, last, justify=justify, overflow="fold", width=of)
        for row in self._rows:
            ruled.add_row(*row)
        return ruled


def _text(cell: Cell) -> Text:
    return cell.shown if isinstance(cell.shown, Text) else Text(cell.shown, style=cell.style)
