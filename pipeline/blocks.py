"""Where the entries of a stretch of time are: what an index on time would tell, at a hundredth of its cost.

Ids grow with arrival and times nearly so. For each minute and each block of ids that holds entries of it, `log_block`
has the first and the last of their ids and how many there are, written in the transaction that inserts them. A late
line adds its minute to one block more, and costs readers that block.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from peewee import fn

from pipeline.database import fetched
from pipeline.models import LogBlock
from pipeline.rollup import MINUTE

BLOCK: Final = 16_384  # ids


class Stretch(NamedTuple):
    """Neighbouring ids, `first` to `last`, both included, with about `entries` entries of the time asked for."""

    first: int
    last: int
    entries: int


def stretches(first: int | None, end: int | None, below: int | None = None) -> list[Stretch]:
    """Where the entries are that are dated in the minutes from `first` on and before `end` (seconds), newest ids first.

    Within a transaction of `Store.read`. Each stretch lies in one block, and none in another; with `below`, only ids
    less than that, and the entries of the block that it cuts are all counted.
    """
    model = LogBlock
    query: Any = model.select(model.block, fn.MIN(model.first), fn.MAX(model.last), fn.SUM(model.entries))
    if first is not None:
        query = query.where(model.minute >= first // MINUTE * MINUTE)
    if end is not None:
        query = query.where(model.minute < end)
    if below is not None:
        query = query.where(model.first < below)
    blocks = fetched(query.group_by(model.block).order_by(model.block.desc()))
    return [
        Stretch(lowest, highest if below is None else min(highest, below - 1), entries)
        for _, lowest, highest, entries in blocks
    ]


def skip(entries: int) -> tuple[int | None, int]:
    """The id below which to go on (None: any) to leave out so many of the newest entries, and how many are still left.

    Within a transaction of `Store.read`.
    """
    below = None
    counted: Any = LogBlock.select(LogBlock.block, fn.SUM(LogBlock.entries)).group_by(LogBlock.block)
    for block, here in counted.order_by(LogBlock.block.desc()).tuples():
        if here > entries:
            break
        below, entries = block * BLOCK, entries - here
    return below, entries
