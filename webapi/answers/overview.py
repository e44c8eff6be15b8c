"""What is answered to who asks for all that a page shows first."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pipeline.problem import Problem
from webapi.answers.ledger import PlannedLines
from webapi.answers.quantities import Range, Scope, Time, Window
from webapi.answers.statistics import SeriesAnswer, StatsAnswer, TopAnswer


class Broken(msgspec.Struct, frozen=True):
    """A part that cannot be told now, and why."""

    problem: Problem


PARTS: Final = {
    "summary": StatsAnswer,
    "requests": SeriesAnswer,
    "latency": SeriesAnswer,
    "visitors": SeriesAnswer,
    "routes": TopAnswer,
    "statuses": TopAnswer,
    "methods": TopAnswer,
    "addresses": TopAnswer,
    "ledger": PlannedLines,
}
"""What each part of the overview is where it is not Broken: no type of msgspec's says that."""


class OverviewAnswer(msgspec.Struct, frozen=True):
    """What a page's first view shows; each part is as its own endpoint tells it, or has a `problem`.

    `received_ever` says whether there ever was a line. Of visitors over time there is nothing where lines are filtered.
    """

    window: Window
    range: Range | None
    scope: Scope
    as_of: Time
    data_to: Time | None
    lag_seconds: Annotated[float, Meta(ge=0)] | None
    received_ever: bool
    summary: dict[str, Any]
    requests: dict[str, Any]
    latency: dict[str, Any]
    routes: dict[str, Any]
    statuses: dict[str, Any]
    methods: dict[str, Any]
    addresses: dict[str, Any]
    ledger: dict[str, Any]
    visitors: dict[str, Any] | UnsetType = UNSET
