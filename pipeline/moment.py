"""A time as every answer of ours writes it."""

from __future__ import annotations

from datetime import datetime


def rfc3339(moment: datetime) -> str:
    """A time in UTC, aware or naive, with `Z`, and with a fraction only where there is one."""
    text = f"{moment:%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{moment.microsecond:06d}".rstrip("0") + "Z" if moment.microsecond else f"{text}Z"
