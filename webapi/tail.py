"""Stored lines as they come: server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from peewee import fn

from pipeline.entries import matching
from pipeline.errors import TallyError
from pipeline.models import LogEntry
from pipeline.storage import Store
from webapi.logs import COLUMNS, told
from webapi.questions import TailQuestion

# Streams at once: each holds a thread of the server's, and asks the database twice a second.
STREAMS: Final = 8
PAUSE_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 10.0
# Lines a look: who wants more of them wants an export.
MOST: Final = 500
# Seconds in which a transaction that got lower ids than a faster one has committed.
SETTLED_SECONDS: Final = 3.0


class Streams:
    """The streams that are open; `stop` ends them."""

    def __init__(self, most: int = STREAMS) -> None:
        self._free = threading.BoundedSemaphore(most)
        self.stopping = threading.Event()

    def open(self) -> bool:
        """Takes one of the places, if any is free."""
        return self._free.acquire(blocking=False)

    def close(self) -> None:
        """Gives it back."""
        self._free.release()

    def stop(self) -> None:
        """Has every stream end."""
        self.stopping.set()


class Tail:
    """One reader's view of what comes: which ids it has been told of, among those that may still be overtaken."""

    def __init__(self, store: Store, question: TailQuestion, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._selection = question.selection
        self._clock = clock
        self._seen: set[int] = set()
        self._heights: deque[tuple[float, int]] = deque()
        start = question.last_event_id
        self._floor = store.read(lambda: _highest()) if start is None else start

    def look(self) -> tuple[list[dict[str, Any]], int]:
        """The lines that have come since the last look, oldest first, and how many more were left out."""
        return self._store.read(self._look)

    def _look(self) -> tuple[list[dict[str, Any]], int]:
        now = self._clock()
        highest = max(_highest(), self._floor)
        condition = matching(self._selection) & (LogEntry.id > self._floor) & (LogEntry.id <= highest)
        if self._seen:
            condition &= LogEntry.id.not_in(sorted(self._seen))
        newest: Any = LogEntry.select(*COLUMNS).where(condition).order_by(LogEntry.id.desc()).limit(MOST).tuples()
        rows = sorted(newest)
        dropped = 0
        if len(rows) == MOST:
            dropped = int(LogEntry.select(fn.COUNT(LogEntry.id)).where(condition).scalar()) - MOST
            # What is left out is left out for good.
            self._floor, self._seen = highest, set()
            self._heights.clear()
        self._seen.update(row[0] for row in rows if row[0] > self._floor)
        self._heights.append((now, highest))
        while self._heights and now - self._heights[0][0] > SETTLED_SECONDS:
            self._floor = max(self._floor, self._heights.popleft()[1])
        self._seen = {id for id in self._seen if id > self._floor}
        return told(rows), dropped


def events(tail: Tail, streams: Streams, clock: Callable[[], float] = time.monotonic) -> Iterator[bytes]:
    """The events of a stream whose place is taken, until the reader goes or the streams are stopped."""
    try:
        yield b"retry: 1000\n\n: tail\n\n"
        told_at = clock()
        while not streams.stopping.is_set():
            try:
                lines, dropped = tail.look()
            except TallyError as error:
                yield b"event: problem\ndata: " + msgspec.json.encode({"detail": str(error)}) + b"\n\n"
                return
            said = b"".join(
                b"id: %d\nevent: line\ndata: %b\n\n" % (line["id"], msgspec.json.encode(line)) for line in lines
            )
            if dropped:
                said = b"event: dropped\ndata: " + msgspec.json.encode({"dropped": dropped}) + b"\n\n" + said
            if not said and clock() - told_at >= HEARTBEAT_SECONDS:
                said = b": heartbeat\n\n"
            if said:
                told_at = clock()
                yield said
            streams.stopping.wait(PAUSE_SECONDS)
    finally:
        streams.close()


def _highest() -> int:
    return int(LogEntry.select(fn.MAX(LogEntry.id)).scalar() or 0)
