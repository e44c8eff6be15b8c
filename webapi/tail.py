"""Stored lines as they come: server-sent events (WHATWG HTML, section 9.2).

Lines are told in the order of their ids, so that the last id which a reader has seen says all that it has seen. An id
is taken before its transaction commits: what lies past an id that is not there yet waits for it, until it has been
missing for so long that it was rolled back.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Final, NamedTuple

import msgspec
from peewee import fn

from pipeline.entries import Scan, matching
from pipeline.errors import TallyError, TooSlow, Unavailable
from pipeline.models import LogEntry
from pipeline.selection import Selection
from pipeline.storage import Store
from webapi.logs import COLUMNS, told
from webapi.questions import TailQuestion
from webapi.streams import Streams

PAUSE_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 10.0
# Lines a look: who wants more of them wants an export.
MOST: Final = 500
# Seconds that a look may take.
BUDGET: Final = 1.0
# An id that has been missing for so many seconds, or below so many later ones, was rolled back: a transaction waits for
# no lock for half as long.
SETTLED_SECONDS: Final = 10.0
SETTLED_IDS: Final = 750_000


class Seen(NamedTuple):
    """What a look found, oldest first, and how many lines before them it left out; where not `counted`, at least."""

    lines: list[dict[str, Any]]
    dropped: int
    counted: bool


class Tail:
    """One reader's view of what comes: up to `floor` it has been told of every line."""

    def __init__(self, store: Store, question: TailQuestion, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises Unavailable, and TooSlow."""
        self._store = store
        self._selection = question.selection
        self._clock = clock
        self._heights: deque[tuple[float, int]] = deque()
        highest, start = store.read(_highest), question.last_event_id
        self.floor = highest if start is None else min(start, highest)

    def look(self) -> Seen:
        """The lines that have come since the last look. Raises Unavailable, and TooSlow; then nothing is lost."""
        now = self._clock()
        highest, reach, seen = self._store.read(lambda: self._look(now))
        self._heights.append((now, highest))
        while len(self._heights) > 1 and now - self._heights[1][0] >= SETTLED_SECONDS:
            self._heights.popleft()
        self.floor = reach
        return seen

    def _look(self, now: float) -> tuple[int, int, Seen]:
        """The highest id, how far the lines are told now, and these."""
        highest = _highest()
        settled = [id for at, id in self._heights if now - at >= SETTLED_SECONDS]
        reach = _unbroken(max(self.floor, highest - SETTLED_IDS, *settled), highest)
        return highest, reach, _lines(self._selection, Scan(None, now + BUDGET, reach + 1, self._clock, self.floor))


def events(
    store: Store,
    question: TailQuestion,
    streams: Streams,
    clock: Callable[[], float] = time.monotonic,
    stays: Callable[[], bool] = lambda: True,
) -> Generator[bytes, None, None]:
    """The events of a stream, until the reader goes, may not stay (`stays`), or the streams are stopped; an outage
    interrupts it, not more.

    Raises TooManyRequests, Unavailable and TooSlow before the first.
    """
    with streams.tails.taken():
        tail = Tail(store, question, clock)
        # Data without an event: from here on a reader that was told of no line goes on where it was, too.
        yield b"retry: 1000\n\n: tail\nid: %d\n\n" % tail.floor
        told_at, away = clock(), False
        while stays() and not streams.stopping.is_set():
            try:
                said, away = _said(tail.look()), False
            except (Unavailable, TooSlow) as error:
                said, away = b"" if away else _problem(error), True
            if not said and clock() - told_at >= HEARTBEAT_SECONDS:
                said = b": heartbeat\nid: %d\n\n" % tail.floor
            if said:
                told_at = clock()
                yield said
            streams.stopping.wait(PAUSE_SECONDS)


def _problem(error: TallyError) -> bytes:
    return b"event: problem\ndata: " + msgspec.json.encode({"detail": str(error)}) + b"\n\n"


def _said(seen: Seen) -> bytes:
    said = b"".join(
        b"id: %d\nevent: line\ndata: %b\n\n" % (line["id"], msgspec.json.encode(line)) for line in seen.lines
    )
    if not seen.dropped and seen.counted:
        return said
    dropped = {"dropped": seen.dropped, "dropped_is": "exact" if seen.counted else "at_least"}
    return b"event: dropped\ndata: " + msgspec.json.encode(dropped) + b"\n\n" + said


def _lines(selection: Selection, scan: Scan) -> Seen:
    """The newest lines of a scan, and how many there are besides."""
    condition = matching(selection)
    newest: Any = LogEntry.select(*COLUMNS).where(condition).order_by(LogEntry.id.desc())
    rows: list[Any] = []
    dropped = 0
    for piece in scan:
        found = list(newest.where(piece.holds()).limit(MOST - len(rows)).tuples()) if len(rows) < MOST else []
        rows += found
        if len(rows) == MOST:
            # All of the piece, or what of it is older than the oldest that is told.
            last = found[-1][0] - 1 if found else piece.last
            rest: Any = LogEntry.select(fn.COUNT(LogEntry.id)).where(piece._replace(last=last).holds(), condition)
            dropped += int(rest.scalar() or 0)
    return Seen(told(rows[::-1]), dropped, scan.complete)


def _highest() -> int:
    return int(LogEntry.select(fn.MAX(LogEntry.id)).scalar() or 0)


def _unbroken(first: int, last: int) -> int:
    """The greatest id, up to `last`, of those that follow `first` without one missing."""
    # The whole is asked for first: mostly nothing is missing.
    middle = last
    while first < last:
        there = LogEntry.select(fn.COUNT(LogEntry.id)).where(LogEntry.id.between(first + 1, middle)).scalar()
        if there == middle - first:
            first = middle
        else:
            last = middle - 1
        middle = (first + last + 1) // 2
    return first
