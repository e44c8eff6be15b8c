"""Made-up traffic of a shop: pure. The same seed and the same times give the same lines."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple


class Route(NamedTuple):
    """What is asked for: how often, how, where, and what it takes (median, ms)."""

    weight: int
    method: str
    path: str
    median_ms: float


_ROUTES = (
    Route(200, "GET", "/", 25),
    Route(170, "GET", "/products", 60),
    Route(220, "GET", "/products/{id}", 45),
    Route(90, "GET", "/search?q={word}&page={page}", 140),
    Route(80, "GET", "/static/app.{id}.js", 4),
    Route(60, "GET", "/api/v1/cart", 30),
    Route(50, "POST", "/api/v1/cart/items", 55),
    Route(15, "DELETE", "/api/v1/cart/items/{id}", 40),
    Route(30, "GET", "/users/{id}/orders", 110),
    Route(12, "PUT", "/users/{id}", 70),
    Route(6, "PATCH", "/users/{id}/address", 65),
    Route(25, "POST", "/login", 180),
    Route(18, "POST", "/checkout", 320),
    Route(20, "HEAD", "/status", 2),
    Route(4, "GET", "/reports/daily?format=csv", 1500),
)
_MISSING = (
    "/wp-login.php",
    "/.env",
    "/favicon.ico",
    "/old-products/{id}",
    "/admin",
    "/robots.txt",
    "/products/{id}.bak",
)
_WORDS = ("lamp", "desk", "chair", "blue+shirt", "caf%C3%A9", "garden", "usb-c", "sale", "boots", "tea")

# The spread of log-normal latencies; failures take longer, and what is missing is known at once.
_SPREAD, _SLOWER, _MISSING_MS, _MOST_MS = 0.6, 3.0, 6.0, 60_000
_REGULARS = 2_000
_SHARE_REGULAR, _SHARE_IPV6, _SHARE_ODD_404 = 0.7, 0.03, 0.4


class Traffic:
    """Lines with `client_errors` of 404s, `server_errors` of 500s (shares of 1), and 200s."""

    def __init__(self, random: Random, client_errors: float, server_errors: float) -> None:
        self._random = random
        self._client_errors = client_errors
        self._errors = client_errors + server_errors
        self._weights = list(accumulate(route.weight for route in _ROUTES))
        self._regulars = [self._address() for _ in range(_REGULARS)]

    def upload(self, size: int, start: datetime, length: timedelta) -> list[str]:
        """`size` lines dated evenly from `start` (UTC) on and before `start + length`, to the millisecond."""
        return [self.line(start + length * (number / size)) for number in range(size)]

    def line(self, at: datetime) -> str:
        """One line, dated `at`."""
        random = self._random
        status = self._status()
        (route,) = random.choices(_ROUTES, cum_weights=self._weights)
        path, median = route.path, route.median_ms
        if status == 404:
            median = _MISSING_MS
            if random.random() < _SHARE_ODD_404:
                path = random.choice(_MISSING)
        elif status == 500:
            median *= _SLOWER
        latency = min(int(random.lognormvariate(math.log(median), _SPREAD)), _MOST_MS)
        stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        return f"{stamp} {self._visitor()} {route.method} {self._filled(path)} {status} {latency}ms"

    def _status(self) -> int:
        drawn = self._random.random()
        if drawn < self._client_errors:
            return 404
        return 500 if drawn < self._errors else 200

    def _filled(self, path: str) -> str:
        """Few things are popular, and most are not."""
        if "{" not in path:
            return path
        random = self._random
        popular = min(int(random.paretovariate(0.9)), 99_999)
        return path.format(id=popular, word=random.choice(_WORDS), page=min(int(random.paretovariate(1.5)), 50))

    def _visitor(self) -> str:
        """Somebody who comes often, or somebody new."""
        random = self._random
        if random.random() < _SHARE_REGULAR:
            return self._regulars[int(_REGULARS ** random.random()) - 1]
        return self._address()

    def _address(self) -> str:
        bits = self._random.getrandbits
        if self._random.random() < _SHARE_IPV6:
            return f"2001:db8:{bits(16):x}:{bits(16):x}::{bits(15) + 1:x}"
        return f"{self._random.randint(11, 126)}.{bits(8)}.{bits(8)}.{bits(8)}"
