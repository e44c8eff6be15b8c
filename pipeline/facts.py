"""What is known of the requests of a window: counts and latencies by a key, and how complete they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec

from pipeline.rollup import METHODS, MINUTE, OTHER_METHOD
from pipeline.selection import Selection
from pipeline.window import Window

# Seconds that reading rows may take, where rollups cannot tell.
BUDGET: Final = 1.0

Key = tuple[Any, ...]


class Facts(NamedTuple):
    """Requests, their latencies' sum and maximum in ms and, where they were asked for, how latencies are spread.

    `latencies` are histograms (`pipeline.histogram`) that are not merged yet: of most groups nobody wants to know.
    """

    requests: int = 0
    latency_sum: int = 0
    latency_max: int = 0
    latencies: tuple[bytes, ...] = ()

    def __add__(self, other: object) -> Facts:
        """Of both together: associative and commutative."""
        if not isinstance(other, Facts):
            return NotImplemented
        return together((self, other))


def together(found: Iterable[Facts]) -> Facts:
    """The sum of facts."""
    every = tuple(found)
    return Facts(
        sum(one.requests for one in every),
        sum(one.latency_sum for one in every),
        max((one.latency_max for one in every), default=0),
        tuple(chain.from_iterable(one.latencies for one in every)),
    )


class Coverage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer is made of: `lines` is all or stored; of what it is about it saw a `share` (0 to 1)."""

    source: str  # rollups, rows, or "rollups and rows"
    lines: str
    complete: bool
    share: float = 1.0


class Asked(NamedTuple):
    """A question: `by` names the parts of a group's key, of `time status class method route path ip`.

    A key's `time` is the start (seconds since the epoch) of its bucket of `step` seconds, its `route` an id. With
    `among`, only groups whose key begins with one of these values are told.
    """

    window: Window
    selection: Selection
    scope: str
    by: tuple[str, ...] = ()
    latencies: bool = False
    step: int = MINUTE
    among: tuple[Any, ...] = ()
    budget: float = BUDGET

    def key(self, values: Sequence[Any]) -> Key:
        """A group's key as it is told: a class for its statuses, `other` for methods that rollups count together."""
        return tuple(_told(part, value) for part, value in zip(self.by, values, strict=True))


class Found(NamedTuple):
    """The answer: facts by key, the window that they are of, and what they cover.

    Where rows alone tell, `seen` are the ids (first and last, both included) whose rows were read.
    """

    groups: dict[Key, Facts]
    window: Window
    coverage: Coverage
    rounded: int  # seconds to which the window's edges were widened, 0 where they were not
    seen: tuple[tuple[int, int], ...] = ()

    @property
    def total(self) -> Facts:
        """All groups together."""
        return together(self.groups.values())


def add(groups: dict[Key, Facts], more: dict[Key, Facts]) -> None:
    """Adds the facts of `more` to those of the same keys."""
    for at, facts in more.items():
        groups[at] = groups[at] + facts if at in groups else facts


def _told(part: str, value: Any) -> Any:
    if part == "class":
        return value // 100 if value >= 100 else value
    if part == "method":
        return value if value in METHODS else OTHER_METHOD
    return int(value) if part == "time" else value
