"""What is answered of how the pipeline itself is."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from webapi.answers.ledger import PlannedLines
from webapi.answers.quantities import Count, Time
from webapi.hops import Hop, Process, Trouble


class OldestPending(msgspec.Struct, frozen=True):
    """The batch that has waited for longest since Kafka had its first record."""

    seconds: Annotated[float, Meta(ge=0)]
    lines: Count
    partition: Count
    attempts: Count


class LettersCount(msgspec.Struct, frozen=True):
    """Dead letters by reason, of the newest 100,000."""

    by_reason: dict[str, Count]
    total: Count


class ProcessShown(Process, frozen=True):
    """A process that said something within ten seconds, or where none of a name did, the last that did within an hour;
    and whether it goes on to do so."""

    alive: bool


class FlowAnswer(msgspec.Struct, frozen=True):
    """How the pipeline is: `problems` are none when all is well, the worst first; `hops` in a line's order.

    Rates are of the last minute. `processes` is null where the cache, through which they speak, does not answer.
    """

    as_of: Time
    data_to: Time | None
    lag_seconds: Annotated[float, Meta(ge=0)] | None
    problems: tuple[Trouble, ...]
    hops: tuple[Hop, ...]
    oldest_pending: OldestPending | None
    dead_letters: LettersCount
    ledger: PlannedLines
    processes: tuple[ProcessShown, ...] | None
