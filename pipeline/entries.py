"""Reading stored rows: which SQL a question comes to, and a scan from the newest row back that ends in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, Final, NamedTuple, TypeVar

from peewee import SQL, Expression, Value, fn

from pipeline.blocks import Stretch, stretches
from pipeline.models import LogEntry, Route
from pipeline.routes import OTHER, OTHER_ID
from pipeline.selection import Network, OneOf, Selection
from pipeline.window import Window

T = TypeVar("T")

_SECOND: Final = 1_000_000
# Ids a query at the least, to begin with, and at the most; how long one should take, in seconds.
_SMALLEST_PIECE, _FIRST_PIECE, _LARGEST_PIECE, _PIECE_SECONDS = 128, 2_048, 1 << 26, 0.05
# Stretches with no more ids than this between them are read as one.
_NEAR: Final = 8_192
# A value of no row, asked for beside those that are: of an index's single value MariaDB reads every entry, of two
# only those whose ids a scan's piece has.
_NOTHING: Final = -1


class Piece(NamedTuple):
    """Ids `first` to `last`, both included."""

    first: int
    last: int

    def holds(self) -> Expression:
        """The condition that an entry is in it."""
        return LogEntry.id.between(self.first, self.last)


class Scan:
    """Walks stored rows from the newest id back, in pieces as large as the database takes them easily.

    Iterating yields pieces until all that may hold rows of the window are read or `deadline` (of `clock`) has passed;
    a piece is one query, and its time decides how large the next one is. `seen` is what has been read. Within a
    transaction of `Store.read`.
    """

    def __init__(
        self,
        window: Window | None,
        deadline: float,
        below: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        above: int = 0,
        among: Sequence[Piece] | None = None,
    ) -> None:
        """Reads only ids less than `below`; without a window, only ids greater than `above`; or only those `among`."""
        if among is not None:
            self._left = [Stretch(*piece, piece.last - piece.first + 1) for piece in among]
        else:
            self._left = _whole(below, above) if window is None else _of(window, below)
        self._deadline = deadline
        self._clock = clock
        self.rows = sum(run.entries for run in self._left)
        self.read = 0.0
        self.seen: list[Piece] = []

    @property
    def complete(self) -> bool:
        """Whether nothing is left to read."""
        return not self._left

    @property
    def share(self) -> float:
        """How much of the window's rows is read, about, from 0 to 1."""
        return 1.0 if self.complete or not self.rows else min(self.read / self.rows, 0.9999)

    @property
    def next_below(self) -> int:
        """All ids from here on have been read; of a complete scan 0."""
        return self._left[0].last + 1 if self._left else 0

    def __iter__(self) -> Iterator[Piece]:
        size = _FIRST_PIECE
        while self._left:
            run = self._left.pop(0)
            first = max(run.first, run.last - size + 1)
            share = run.entries * (run.last - first + 1) / (run.last - run.first + 1)
            if first > run.first:
                self._left.insert(0, Stretch(run.first, first - 1, run.entries - round(share)))
            begun = self._clock()
            piece = Piece(first, run.last)
            yield piece
            now = self._clock()
            self.read += share
            self._note(piece)
            if now >= self._deadline:
                return
            # Never so large that it might outlast the deadline by much.
            faster = min(_PIECE_SECONDS, self._deadline - now) / max(now - begun, 0.001)
            size = int(min(max(size * min(faster, 4.0), _SMALLEST_PIECE), _LARGEST_PIECE))

    def _note(self, piece: Piece) -> None:
        """Adds what has been read to `seen`, in as few pieces as can be."""
        if self.seen and self.seen[-1].first == piece.last + 1:
            piece = Piece(piece.first, self.seen.pop().last)
        self.seen.append(piece)


def matching(selection: Selection, window: Window | None = None) -> Expression:
    """The condition that an entry is of a selection and dated in a window."""
    found = list(_conditions(selection))
    if window is not None:
        found += [LogEntry.timestamp >= window.first, LogEntry.timestamp <= window.last]
    return reduce(and_, found) if found else SQL("1 = 1")


def _conditions(selection: Selection) -> Iterator[Any]:
    """INSTR compares by bytes on SQLite and by the column's binary collation on MySQL: case counts on both."""
    if selection.status is not None:
        yield among(LogEntry.status, selection.status)
    if selection.method is not None:
        yield one_of(LogEntry.method, selection.method)
    if selection.route is not None:
        yield one_of(LogEntry.route, _ranged(route_ids(selection.route)))
    if selection.ip is not None:
        inside = _any([_inside(network) for network in selection.ip.values])
        yield ~inside if selection.ip.negated else inside
    for part in selection.path:
        position = fn.INSTR(LogEntry.path, part.text)
        yield position == 0 if part.negated else position > 0
    if selection.min_latency is not None:
        yield LogEntry.latency_ms >= selection.min_latency
    if selection.max_latency is not None:
        yield LogEntry.latency_ms <= selection.max_latency


def _ranged(ids: OneOf[int]) -> OneOf[int]:
    return ids if ids.negated else OneOf((*ids.values, _NOTHING))


def among(column: Any, statuses: frozenset[int]) -> Expression:
    """The condition that a column's status is one of these, in as few ranges as they make."""
    ranges: list[list[int]] = []
    for status in sorted(statuses):
        if ranges and ranges[-1][1] == status - 1:
            ranges[-1][1] = status
        else:
            ranges.append([status, status])
    single = [first for first, last in ranges if first == last]
    conditions = [column.between(first, last) for first, last in ranges if first != last]
    if single or not conditions:
        conditions.append(column.in_([*single, _NOTHING]))
    return _any(conditions)


def _any(conditions: list[Any]) -> Any:
    """That one of them holds; a tree that is no deeper than it must be, as databases and Peewee have limits."""
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    return or_(_any(conditions[:half]), _any(conditions[half:]))


def route_ids(routes: OneOf[str]) -> OneOf[int]:
    """The ids of routes; one that was never counted has none, and matches nothing."""
    names = [name for name in routes.values if name != OTHER]
    found: Any = Route.select(Route.id).where(Route.template.in_(names)).tuples()
    ids = [id for (id,) in found] if names else []
    return OneOf(tuple(sorted([*ids, *([OTHER_ID] if OTHER in routes.values else [])])), routes.negated)


def route_names(ids: Iterable[int]) -> dict[int, str]:
    """What the routes of these ids are called. Within a transaction."""
    named = set(ids) - {OTHER_ID}
    found: Any = Route.select(Route.id, Route.template).where(Route.id.in_(named)).tuples()
    return {OTHER_ID: OTHER, **dict(found if named else ())}


def one_of(column: Any, values: OneOf[Any]) -> Any:
    """The condition that a column has one of the values, or with `negated` none of them."""
    if not values.values:
        return SQL("1 = 1") if values.negated else SQL("1 = 0")
    return column.not_in(values.values) if values.negated else column.in_(values.values)


def _inside(network: Network) -> Any:
    if network.first == network.last:
        return LogEntry.ip == _written(network.first)
    family = fn.INSTR(LogEntry.ip, ":")
    packed = fn.INET6_ATON(LogEntry.ip)
    within = packed.between(Value(network.first, unpack=False), Value(network.last, unpack=False))
    return (family == 0 if len(network.first) == 4 else family > 0) & within


def _written(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def _whole(below: int | None, above: int) -> list[Stretch]:
    """All ids there are in between; whatever was deleted among them costs next to nothing."""
    # One query each: SQLite looks at every row where both are asked for at once.
    later = LogEntry.id > above
    first = LogEntry.select(fn.MIN(LogEntry.id)).where(later).scalar()
    last = LogEntry.select(fn.MAX(LogEntry.id)).where(later).scalar()
    last = last if last is None or below is None else min(last, below - 1)
    return [Stretch(first, last, last - first + 1)] if first is not None and first <= last else []


def _of(window: Window, below: int | None) -> list[Stretch]:
    return _runs(stretches(window.start // _SECOND, -(-window.stop // _SECOND), below))


def _runs(found: Sequence[Stretch]) -> list[Stretch]:
    """Stretches that touch, or nearly so, as one; newest first as they came."""
    runs: list[Stretch] = []
    for stretch in found:
        if runs and runs[-1].first - stretch.last <= _NEAR:
            last = runs[-1]
            runs[-1] = Stretch(stretch.first, last.last, last.entries + stretch.entries)
        else:
            runs.append(stretch)
    return runs
