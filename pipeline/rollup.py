"""Rollups: what is counted of every line, in buckets of a few widths, so that a week is a few days, hours and minutes.

A bucket is named by its width (`level`) and its start (`bucket`), both in seconds, the start since the epoch in UTC.
Every line is in one bucket of each width; nothing is folded later.
"""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60
FIVE_MINUTES: Final = 300
HOUR: Final = 3_600
DAY: Final = 86_400

REQUEST_LEVELS: Final = (MINUTE, FIVE_MINUTES, HOUR, DAY)
ROUTE_LEVELS: Final = (FIVE_MINUTES, HOUR, DAY)
VISITOR_LEVELS: Final = (FIVE_MINUTES, HOUR, DAY)

# For how long (seconds) buckets of a level are kept; wider ones for good.
KEPT: Final = {MINUTE: 9 * DAY, FIVE_MINUTES: 9 * DAY, HOUR: 100 * DAY}

# Whatever else a client calls a method is counted under OTHER_METHOD: the keys of a bucket are bounded.
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
OTHER_METHOD: Final = "other"
