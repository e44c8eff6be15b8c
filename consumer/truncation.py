"""Whether a partition's log still is the one that was planned."""

from __future__ import annotations

import structlog

from consumer.metrics import Metrics
from consumer.plan import Mark, Plan, Planned
from pipeline.errors import RangeChanged, Unreadable
from pipeline.kafka import RangeReader

log = structlog.get_logger(__name__)


def verified(plan: Plan, reader: RangeReader, part: int, beginning: int, metrics: Metrics) -> Planned:
    """How far a partition is planned, after holding the plan against the log that begins at `beginning`.

    A log that no longer holds its last planned record was cut, and perhaps grew again: its next generation begins at
    the log's beginning. Records that retention took before they were planned are written off. Both are alarms, and
    counted: lines of what was planned and will never be read, and offsets where nobody knows how many lines.
    """
    planned = plan.planned(part, beginning)
    mark = planned.mark
    if mark is not None and mark.offset >= beginning and not _held(reader, part, mark):
        log.error(
            "the log was cut: starting it over; uploads without a key that survived will count twice",
            part=part,
            missing=mark.offset,
            generation=planned.generation + 1,
        )
        metrics.lost.inc(plan.regenerate(part, planned.generation, beginning))
        metrics.cuts.inc()
        return plan.planned(part, beginning)
    if planned.next_plan < beginning:
        log.error("lost: retention passed", part=part, first=planned.next_plan, next=beginning)
        plan.lose(part, planned.generation, planned.next_plan, beginning)
        metrics.uncounted.inc(beginning - planned.next_plan)
        return plan.planned(part, beginning)
    return planned


def _held(reader: RangeReader, part: int, mark: Mark) -> bool:
    try:
        found = reader.read(part, mark.offset, mark.offset + 1)
    except RangeChanged:
        return False
    except Unreadable as error:
        # Damaged, not cut: begun again, all that is still well would be counted again.
        log.warning("cannot hold the plan against the log", error=str(error))
        return True
    return bool(found) and Mark.of(found[0]) == mark
