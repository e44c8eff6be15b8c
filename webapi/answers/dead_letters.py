"""What is answered of dead letters, and how one is sent again."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from webapi.answers.quantities import Count, Time


class DeadLetterShown(msgspec.Struct, frozen=True):
    """What could not be stored. `line` is which of the record's elements it was, null for the record as a whole.

    `text` is what came, with U+FFFD for what is not UTF-8; `is_whole` says whether that is all that is kept of it,
    which has `bytes` bytes. `retried_at` is when Kafka took it anew.
    """

    id: Annotated[int, Meta(ge=1)]
    created_at: Time
    reason: str
    detail: str
    topic: str | None
    partition: Count
    offset: Count
    line: Count | None
    bytes: Count
    text: str
    is_whole: bool
    retried_at: Time | None


class DeadLetterWhole(DeadLetterShown, frozen=True):
    """The same with all that is kept of it: `payload` is base64."""

    payload: str


class DeadLettersMeta(msgspec.Struct, frozen=True):
    """How many there are, by their reasons; `next` is the `before` of the next page, null on the last."""

    total: Count
    total_is: Literal["exact", "at_least"]
    by_reason: dict[str, Count]
    limit: Count
    next: int | None


class DeadLettersAnswer(msgspec.Struct, frozen=True):
    """A page of dead letters, newest first."""

    data: tuple[DeadLetterShown, ...]
    meta: DeadLettersMeta


class DeadLetterAnswer(msgspec.Struct, frozen=True):
    """One dead letter."""

    data: DeadLetterWhole


class Retry(msgspec.Struct, frozen=True):
    """How a letter is to be sent again: with another text for its line, and also one that was sent again before."""

    replace: str | None = None
    again: bool = False
