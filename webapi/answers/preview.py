"""What is answered of another rule."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from webapi.answers.quantities import Count, Share
from webapi.answers.statistics import StatsMeta


class Kept(msgspec.Struct, frozen=True):
    """How many lines a rule stores, and which share of all that is."""

    stored: Count
    share: Share


class StatusKept(msgspec.Struct, frozen=True):
    """The lines of a status: how many were stored, and how many would have been."""

    status: Annotated[int, Meta(ge=100, le=599)]
    requests: Count
    stored: Count
    would_be_stored: Count


class PreviewAnswer(msgspec.Struct, frozen=True):
    """What was stored of the last day's lines, by whichever rule held then, and what another rule would have stored."""

    requests: Count
    present: Kept
    proposed: Kept
    by_status: tuple[StatusKept, ...]
    meta: StatsMeta
