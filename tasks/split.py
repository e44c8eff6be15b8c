"""Poison: a batch whose data cannot be processed is halved until the one bad record is alone, and dead."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from pipeline import batch
from pipeline.batch import PAYLOAD, Range, Record
from pipeline.errors import Poison, TooWide
from pipeline.models import Batch
from pipeline.storage import Store
from tasks.dead_letters import bury
from tasks.frame import Rejected

log = structlog.get_logger(__name__)


def split(store: Store, order: Range, id: int, records: Sequence[Record], poison: Poison) -> None:
    """Halves a pending batch in MySQL, so that its old messages fail their claim; a single record is buried.

    The halves are found and sent by the consumer's repair.
    """
    say = log.info if isinstance(poison, TooWide) else log.error
    say("split", part=order.part, first=order.first, next=order.next, reason=str(poison), records=len(records))
    still = (Batch.id == id, Batch.next == order.next, Batch.state == "pending")
    if len(records) == 1:
        store.write(lambda: _bury_alone(store, still, records[0], poison))
        return
    half = len(records) // 2
    low, high, middle = records[:half], records[half:], records[half].offset

    def work() -> None:
        whole = Batch.get_or_none(Batch.id == id)
        changed = Batch.update(
            next=middle, lines=sum(map(batch.lines, low)), digest=batch.digest(low), attempts=0
        ).where(*still)
        if whole is None or not changed.execute():
            return
        Batch.insert(
            stream=whole.stream,
            part=whole.part,
            generation=whole.generation,
            first=middle,
            next=order.next,
            lines=sum(map(batch.lines, high)),
            digest=batch.digest(high),
            state="pending",
            oldest_at=whole.oldest_at,
            planned_at=whole.planned_at,
            dispatched_at=whole.dispatched_at,
        ).execute()

    store.write(work)


def _bury_alone(store: Store, still: tuple[object, ...], record: Record, poison: Poison) -> None:
    done = Batch.update(state="done", done_at=store.now(), rejected=Batch.lines).where(*still)
    whole = Batch.get_or_none(*still)
    if whole is None or not done.execute():
        return
    alone = Rejected(0, None, whole.lines, "poison", str(poison)[:1000], (record.value or b"")[:PAYLOAD])
    bury(store, whole.stream, whole.part, [record], [alone])
