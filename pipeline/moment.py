"""A time as every answer of ours writes it, and as Kafka has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

# The end of 2099 in ms.
_LATEST_MS: Final = 4_102_444_799_999


def rfc3339(moment: datetime) -> str:
    """A time in UTC, aware or naive, with `Z`, and with a fraction only where there is one."""
    text = f"{moment:%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{moment.microsecond:06d}".rstrip("0") + "Z" if moment.microsecond else f"{text}Z"


def of_record(timestamp: int) -> datetime:
    """The time (UTC) of a Kafka record whose timestamp is in ms since the epoch; no earlier than that, nor after 2099.

    It is its producer's word, and may be any number: microseconds, or -1 for none.
    """
    return datetime.fromtimestamp(min(max(timestamp, 0), _LATEST_MS) / 1000, UTC)
