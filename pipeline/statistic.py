"""Which statistics, series and rankings there are, and what one of the first is. How it is computed: `statistics`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import msgspec

KINDS: Final = ("latency", "errors", "traffic", "summary")
SCOPES: Final = ("stored", "all")
METRICS: Final = ("requests", "errors", "latency", "visitors")
DIMENSIONS: Final = ("route", "path", "status", "method", "ip")
ORDERS: Final = ("requests", "errors", "error_rate", "p95")
RANGES: Final = {
    "15m": timedelta(minutes=15),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}


class Statistic(msgspec.Struct, frozen=True):
    """One answer: `data` has the contract's keys, `meta` says what they describe, and how exactly."""

    type: str
    data: dict[str, Any]
    meta: dict[str, Any]
