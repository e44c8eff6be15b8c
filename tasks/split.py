"""Poison: a batch whose data cannot be processed is cut until the one bad record is alone, and dead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import polars as pl
import structlog

from pipeline import batch, uploads
from pipeline.batch import PAYLOAD, Range, Record
from pipeline.errors import Poison, TooWide
from pipeline.models import Batch
from pipeline.storage import Store
from tasks import upload_keys
from tasks.dead_letters import bury
from tasks.frame import Place, Rejected

log = structlog.get_logger(__name__)


def culprits(records: Sequence[Record], process: Callable[[Sequence[Record]], object], first: int = 0) -> list[int]:
    """The numbers, from `first` on, of the records that make `process` raise, each by itself."""
    try:
        process(records)
    except Exception:
        if len(records) == 1:
            return [first]
        half = len(records) // 2
        return culprits(records[:half], process, first) + culprits(records[half:], process, first + half)
    return []


def around(numbers: Sequence[int], records: int) -> list[int]:
    """The cuts that leave each of these records alone; one through the middle where there are none of them."""
    cuts = {cut for number in numbers for cut in (number, number + 1) if 0 < cut < records}
    return sorted(cuts) or [records // 2]


def within(frame: pl.DataFrame, minutes: int) -> list[int]:
    """The cuts between which records have lines (`minute` of each) of so many minutes at the most, or are alone."""
    of_record = frame.group_by("record", maintain_order=True).agg(pl.col("minute").unique())
    cuts: list[int] = []
    gathered: set[int] = set()
    for record, some in of_record.iter_rows():
        if gathered and len(gathered.union(some)) > minutes:
            cuts.append(record)
            gathered = set()
        gathered.update(some)
    return cuts


def split(
    store: Store, order: Range, id: int, records: Sequence[Record], poison: Poison, cuts: Sequence[int]
) -> list[Range]:
    """Cuts a pending batch in MySQL, so that its old messages fail their claim; a single record is buried.

    `cuts` are the numbers of the records that begin another piece. Returns the pieces: all are pending, and to be sent.
    """
    say = log.info if isinstance(poison, TooWide) else log.error
    say("split", part=order.part, first=order.first, next=order.next, reason=str(poison), records=len(records))
    still = (Batch.id == id, Batch.next == order.next, Batch.state == "pending")
    if len(records) == 1:
        store.write(lambda: _bury_alone(store, order, still, records[0], poison))
        return []
    pieces = [records[start:end] for start, end in pairwise([0, *cuts, len(records)])]
    ends = [*(piece[0].offset for piece in pieces[1:]), order.next]

    def work() -> list[Range]:
        whole = Batch.get_or_none(*still)
        if whole is None:
            return []
        made: list[Range] = []
        for piece, end in zip(pieces, ends, strict=True):
            first, digest = made[-1].next if made else order.first, batch.digest(piece)
            of_piece = {"next": end, "lines": sum(map(batch.lines, piece)), "digest": digest, "attempts": 0}
            if not made:
                if not Batch.update(**of_piece, dispatched_at=store.now()).where(*still).execute():
                    return []
            else:
                Batch.insert(
                    **of_piece,
                    stream=whole.stream,
                    part=whole.part,
                    generation=whole.generation,
                    first=first,
                    state="pending",
                    oldest_at=whole.oldest_at,
                    planned_at=whole.planned_at,
                    dispatched_at=store.now(),
                ).execute()
            made.append(Range(order.topic_id, order.part, order.generation, first, end, digest.hex()))
        return made

    return store.write(work)


def _bury_alone(store: Store, order: Range, still: tuple[object, ...], record: Record, poison: Poison) -> None:
    whole = Batch.get_or_none(*still)
    if whole is None or not Batch.update(state="done", done_at=store.now()).where(*still).execute():
        return
    # What was sent twice counts once: its twin may be stored, or come yet.
    twins = upload_keys.twins(store, order, whole.stream, [record], upload_keys.identities([record]))
    left = [one for one in uploads.held(record) if Place(0, one.line, one.lines) not in twins]
    # What was planned is to be accounted for, however many lines this version counts.
    duplicate = min(sum(twin.lines for twin in twins), whole.lines) if left else whole.lines
    if left:
        # Without the twins: who sends the letter again would count them twice.
        value = uploads.together([one.body for one in left]) if twins else record.value or b""
        rejected = Rejected(0, None, whole.lines - duplicate, "poison", str(poison)[:1000], value[:PAYLOAD])
        bury(store, whole.stream, whole.part, [record], [rejected])
    Batch.update(duplicate=duplicate, rejected=whole.lines - duplicate).where(Batch.id == whole.id).execute()
