"""Which lines are stored, by status: `DISCARD_STATUS`."""

from __future__ import annotations

import re

from pipeline.errors import ConfigurationError

_STATUSES = range(100, 600)


def discarded(rule: str) -> frozenset[int]:
    """The statuses that `rule` discards: `200`, lists and classes (`2xx,301`); an empty rule keeps all.

    Raises ConfigurationError naming the part that is neither.
    """
    parts = [part.strip().lower() for part in rule.split(",") if part.strip()]
    return frozenset(status for part in parts for status in _statuses(part))


def _statuses(part: str) -> list[int]:
    if re.fullmatch(r"[1-5]xx", part):
        return [status for status in _STATUSES if status // 100 == int(part[0])]
    if re.fullmatch(r"[1-5][0-9][0-9]", part):
        return [int(part)]
    raise ConfigurationError(f"DISCARD_STATUS: {part!r} is neither a status (100 to 599) nor a class such as 2xx")
