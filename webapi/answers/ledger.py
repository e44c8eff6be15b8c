"""What is answered of where lines are."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from pipeline.ledger import NotPlanned, Uncounted
from webapi.answers.quantities import Count, Time


class Minutes(msgspec.Struct, frozen=True, rename={"first": "from"}):
    """Whole minutes of planning time, null for no end."""

    first: Time | None
    before: Time | None


class LedgerMeta(msgspec.Struct, frozen=True):
    """Which minutes were asked for."""

    minutes: Minutes


class Sums(msgspec.Struct, frozen=True):
    """Lines; received = stored + discarded + rejected + duplicate + lost + pending where it is `balanced`."""

    received: Count
    stored: Count
    discarded: Count
    rejected: Count
    duplicate: Count
    lost: Count
    pending: Count
    balanced: bool


class LedgerAnswer(Sums, frozen=True):
    """Where every line is; `not_planned` and `lost_uncounted` are beside the sums and not in them."""

    not_planned: tuple[NotPlanned, ...]
    lost_uncounted: tuple[Uncounted, ...]
    meta: LedgerMeta


class Day(Sums, frozen=True):
    """The lines that were planned on one day (UTC)."""

    day: Annotated[str, Meta(extra_json_schema={"format": "date"})]


class DaysAnswer(msgspec.Struct, frozen=True):
    """Days, oldest first."""

    data: tuple[Day, ...]
    balanced: bool
    meta: LedgerMeta


class PlannedLines(Sums, frozen=True):
    """Where the lines are that were planned in a window's minutes."""

    not_planned: tuple[NotPlanned, ...]
    lost_uncounted: tuple[Uncounted, ...]
