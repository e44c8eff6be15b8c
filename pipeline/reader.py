"""Answers what is asked of the requests of a window: from rollups where they can tell, else from rows.

A rollup tells of whole buckets; what a window of stored lines has before and after them is counted from rows. A
question that no rollup knows (an address, part of a path, a status together with a route) is answered from stored
rows alone, the newest first, within a time budget; `Coverage` says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pipeline import rollup_facts, row_facts
from pipeline.cut import cut, reaches, retained
from pipeline.entries import Piece, Scan, matching
from pipeline.facts import Asked, Coverage, Facts, Found, Key, add


def read(asked: Asked, now: float, clock: Callable[[], float] = time.monotonic) -> Found:
    """Answers a question, as of `now` (seconds since the epoch). Within a transaction of `Store.read`."""
    source = rollup_facts.source(asked)
    if source is None:
        return _from_rows(asked, now, clock)
    levels: Sequence[int] = source.levels
    window = asked.window
    if in_time := "time" in asked.by:
        window = window.widened(asked.step, asked.step)
        levels = [level for level in levels if asked.step % level == 0 and reaches(level, now, window.start)]
        if not levels:
            return _from_rows(asked, now, clock)
    of_rollups = cut(window, levels, now, asked.scope == "stored" and not in_time, clock)
    groups: dict[Key, Facts] = {}
    if of_rollups.spans:
        add(groups, rollup_facts.counted(source, asked, of_rollups.spans))
    for edge, scan in of_rollups.edges:
        add(groups, row_facts.scanned(asked, matching(asked.selection, edge), scan))
    kind = "rollups and rows" if of_rollups.edges else "rollups"
    rounded = asked.step if window != asked.window else of_rollups.rounded
    return Found(groups, of_rollups.window, Coverage(kind, asked.scope, True), rounded)


def read_again(asked: Asked, found: Found, now: float, clock: Callable[[], float] = time.monotonic) -> dict[Key, Facts]:
    """Answers another question of the same lines as `found`: of rows, those that were read for it and no others.

    Within its transaction.
    """
    if not found.seen:
        return read(asked, now, clock).groups
    return row_facts.scanned(asked, matching(asked.selection, found.window), pieces(found))


def pieces(found: Found) -> list[Piece]:
    """The rows that were read for an answer, as they are read again."""
    return [Piece(*ids) for ids in found.seen]


def _from_rows(asked: Asked, now: float, clock: Callable[[], float]) -> Found:
    """All from stored rows, the newest first, for as long as the budget lasts."""
    deadline = clock() + asked.budget
    window = asked.window.widened(asked.step, asked.step) if "time" in asked.by else asked.window
    scan = Scan(window, deadline, clock=clock)
    groups = row_facts.scanned(asked, matching(asked.selection, window), scan)
    coverage = row_facts.coverage(scan, retained([window], now))
    return Found(groups, window, coverage, asked.step if window != asked.window else 0, tuple(scan.seen))
