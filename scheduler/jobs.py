"""What is asked of the workers, and how often."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import dramatiq

from pipeline import messages
from pipeline.statistic import KINDS, RANGES, SCOPES

# Seconds between two computations, well below those for which a statistic is kept.
_WARMED: Final = {"hour": 15, "day": 60, "week": 300}
# A run is bounded: what is often too much for one has more of them.
_HOUSEKEPT: Final = {"batches": 300, "keys": 600, "rollups": 3600, "rows": 300}


class Job(NamedTuple):
    """Some messages, each made anew every `seconds`."""

    name: str
    seconds: int
    messages: tuple[Callable[[], dramatiq.Message[Any]], ...]


def jobs() -> list[Job]:
    """All there are: a warm-up for each range, of all its statistics, and each of the housekeeping."""
    warm_ups = [
        Job(
            f"warm {range_name}",
            _WARMED[range_name],
            tuple(partial(messages.warm, kind, range_name, scope) for kind in KINDS for scope in SCOPES),
        )
        for range_name in RANGES
    ]
    return warm_ups + [Job(job, seconds, (partial(messages.housekeeping, job),)) for job, seconds in _HOUSEKEPT.items()]
