"""When marked rows can be queried: looks for them in the database while they are sent."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from peewee import fn

from cli.bench.load import MARK_STATUS
from pipeline import batch
from pipeline.models import LogEntry
from pipeline.storage import Store

# Seconds from one look to the next: so many times what the last one took, for looks take the processor from what they
# measure, and no less or more than these. What is seen is seen so much late, at the most.
PAUSE_LOOKS, PAUSE_LEAST, PAUSE_MOST = 4, 0.01, 0.05
# Ids that a slower transaction may commit after a faster one's higher ones.
OVERTAKEN = batch.LINES

Seen = dict[int, float]


@contextlib.contextmanager
def sightings(store: Store) -> Iterator[Seen]:
    """By the number of each marked row that is new in the block: the `time.monotonic()` at which it was seen first.

    It is complete once the block has ended.
    """
    seen: Seen = {}
    over = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        looking = executor.submit(_look_until, over, store, _highest(store), seen)
        try:
            yield seen
        finally:
            over.set()
        looking.result()


def _look_until(over: threading.Event, store: Store, first: int, seen: Seen) -> None:
    """Looks until the event is set, and then once more at all ids past `first`."""
    last, pause = first, PAUSE_LEAST
    while not over.wait(pause):
        began = time.monotonic()
        highest = _highest(store)
        _look(store, max(first, last - OVERTAKEN), seen)
        last = highest
        pause = min(max(PAUSE_LOOKS * (time.monotonic() - began), PAUSE_LEAST), PAUSE_MOST)
    _look(store, first, seen)
    store.disconnect()


def _look(store: Store, after: int, seen: Seen) -> None:
    # Of one status MariaDB reads the whole index, whatever ids are asked for; of two it reads a range.
    marked = LogEntry.status.in_((MARK_STATUS, 0))
    query = LogEntry.select(LogEntry.path).where(LogEntry.id > after, marked).tuples()
    paths = store.read(lambda: [path for (path,) in query])
    now = time.monotonic()
    for path in paths:
        seen.setdefault(int(path.removeprefix("/visible/")), now)


def _highest(store: Store) -> int:
    return store.read(lambda: LogEntry.select(fn.MAX(LogEntry.id)).scalar()) or 0
