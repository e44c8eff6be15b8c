"""Where the entries of a stretch of time are: what an index on time would tell, at a hundredth of its cost.

Ids grow with arrival and times nearly so. For each minute and each block of ids that holds entries of it, `log_block`
has the first and the last of their ids and how many there are, written in the transaction that inserts them. A late
line adds its minute to one block more, and costs readers that block.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from pipeline.models import LogBlock
from pipeline.rollup import MINUTE

BLOCK: Final = 65_536  # ids


class Stretch(NamedTuple):
    """Neighbouring ids, `first` to `last`, both included, with at least `entries` entries of the time asked for."""

    first: int
    last: int
    entries: int


def stretches(first: int | None, end: int | None, below: int | None = None) -> list[Stretch]:
    """Where the entries are that are dated in the minutes from `first` on and before `end` (seconds), newest ids first.

    Within a transaction of `Store.read`. Each stretch lies in one block, and none in another; with `below`, only ids
    less than that.
    """
    query: Any = LogBlock.select(LogBlock.block, LogBlock.first, LogBlock.last, LogBlock.entries)
    if first is not None:
        query = query.where(LogBlock.minute >= first // MINUTE * MINUTE)
    if end is not None:
        query = query.where(LogBlock.minute < end)
    if below is not None:
        query = query.where(LogBlock.first < below)
    blocks: dict[int, Stretch] = {}
    for block, lowest, highest, entries in query.tuples():
        known = blocks.get(block)
        last = highest if below is None else min(highest, below - 1)
        blocks[block] = (
            Stretch(min(known.first, lowest), max(known.last, last), known.entries + entries)
            if known
            else Stretch(lowest, last, entries)
        )
    return [blocks[block] for block in sorted(blocks, reverse=True)]
