"""What is asked of the workers, and how often."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, Final, NamedTuple

import dramatiq

from pipeline import messages
from pipeline.statistic import KINDS, SCOPES

# Seconds between two computations, well below those for which a statistic is kept.
_WARMED: Final = {"hour": 15, "day": 60, "week": 300}
# A run is bounded: what is often too much for one has more of them.
_HOUSEKEPT: Final = {"batches": 300, "keys": 600, "rollups": 3600, "rows": 300}


class Job(NamedTuple):
    """A message, made anew every `seconds`, for the first time after `offset` seconds (and once at the beginning)."""

    name: str
    seconds: int
    message: Callable[[], dramatiq.Message[Any]]
    offset: float = 0


def jobs() -> list[Job]:
    """All there are: a warm-up for each statistic of each range, and each of the housekeeping.

    A range's warm-ups are spread over the time that they have: all at once would keep lines waiting.
    """
    statistics = list(product(KINDS, SCOPES))
    warm_ups = [
        Job(
            f"warm {range_name}",
            seconds,
            partial(messages.warm, kind, range_name, scope),
            offset=seconds * (number + 1) / len(statistics),
        )
        for range_name, seconds in _WARMED.items()
        for number, (kind, scope) in enumerate(statistics)
    ]
    housekeeping = [
        Job(job, seconds, partial(messages.housekeeping, job), seconds) for job, seconds in _HOUSEKEPT.items()
    ]
    return warm_ups + housekeeping
