"""Days of made-up traffic in columns, as the actor has them: a few routes and visitors make most of the requests."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.frame import MINUTE, SCHEMA

Numbers = npt.NDArray[np.int64]

SECONDS: Final = 8 * 86_400
KEPT: Final = 0.4  # the share of lines that are no 200

_STATUSES: Final = np.array([200, 404, 301, 500, 304, 403, 503], dtype=np.uint16)
_STATUS_SHARES: Final = (1 - KEPT, 0.16, 0.09, 0.06, 0.05, 0.03, 0.01)
_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD")
_METHOD_SHARES: Final = (0.78, 0.14, 0.03, 0.02, 0.03)
_THINGS: Final = ("products", "users", "orders", "carts", "reviews", "payments", "sessions", "images", "tags", "stores")
# What stands before and behind the number in a path; with no number where there is nothing behind.
_ROUTES: Final = (
    ("/", None),
    ("/search?q=", ""),
    ("/login", None),
    ("/static/app.", ".js"),
    *((f"/{thing}", None) for thing in _THINGS),
    *((f"/{thing}/", "") for thing in _THINGS),
    *((f"/api/v1/{thing}/", "") for thing in _THINGS),
    *((f"/api/v1/{thing}/", f"/{part}") for thing in _THINGS for part in ("items", "history", "owner", "notes")),
    *((f"/internal/{thing}/export", None) for thing in _THINGS),
)
_LATE, _VERY_LATE = 0.01, 0.0005  # shares of lines: by some seconds, by some hours
_IPV6: Final = 0.01


class Traffic:
    """Eight days of `lines` lines from `start` (seconds since the epoch) on, and as many a day after them."""

    def __init__(self, lines: int, start: float, seed: int) -> None:
        """The same arguments give the same lines, as long as they are asked for in the same order."""
        self._lines = lines
        self._start = start
        self._chance = np.random.default_rng(seed)
        # A night has a fifth of a day's traffic: what the hours come to, minute by minute, for two periods.
        minutes = np.arange(0, 2 * SECONDS + 60, 60)
        rhythm = 0.6 - 0.4 * np.cos(2 * np.pi * ((start + minutes) % 86_400) / 86_400)
        reached = np.concatenate([[0.0], np.cumsum(rhythm)[:-1]])
        self._minutes, self._reached = minutes, reached / np.interp(SECONDS, minutes, reached)
        ranks = np.arange(1, len(_ROUTES) + 1)
        self._routes = (1 / ranks**1.1) / (1 / ranks**1.1).sum()
        self._medians = np.random.default_rng(1).lognormal(3.7, 0.9, len(_ROUTES))

    def due(self, now: float) -> int:
        """How many lines there are before a time (seconds since the epoch)."""
        return int(self._lines * np.interp(now - self._start, self._minutes, self._reached))

    def frame(self, first: int, count: int) -> pl.DataFrame:
        """Lines `first` to before `first + count` (as `Parsed.frame` of `tasks.frame`), by time but for late ones."""
        chance = self._chance
        status = chance.choice(_STATUSES, count, p=_STATUS_SHARES)
        route = chance.choice(len(_ROUTES), count, p=self._routes)
        slow = np.where(status >= 500, 3.0, np.where(status == 404, 0.3, 1.0))
        latency = np.minimum(self._medians[route] * slow * chance.lognormal(0, 0.6, count), 60_000)
        columns = pl.DataFrame(
            {
                "at": self._times(first, count),
                "route": route,
                "number": (chance.pareto(0.7, count) * 40).astype(np.int64) % 2_000_000,
                "visitor": (chance.pareto(0.6, count) * 20).astype(np.int64) % 2**24,
                "modern": chance.random(count) < _IPV6,
                "method": chance.choice(len(_METHODS), count, p=_METHOD_SHARES),
                "status": status,
                "latency": latency.astype(np.uint32),
            }
        )
        visitor = pl.col("visitor")
        before, behind = zip(*_ROUTES, strict=True)
        lines = columns.select(
            pl.lit(0).alias("record"),
            pl.int_range(pl.len()).alias("line"),
            pl.from_epoch("at", "ms").dt.strftime("%Y-%m-%dT%H:%M:%S%.3f").alias("time"),
            pl.when("modern")
            .then(pl.format("2001:db8::{}", visitor % 10_000))
            .otherwise(pl.format("10.{}.{}.{}", visitor // 65_536, visitor // 256 % 256, visitor % 256))
            .alias("ip"),
            _of(_METHODS, "method").alias("method"),
            pl.when(_of(behind, "route").is_null())
            .then(_of(before, "route"))
            .otherwise(pl.concat_str(_of(before, "route"), "number", _of(behind, "route")))
            .alias("path"),
            "status",
            "latency",
        ).cast(SCHEMA)
        return lines.with_columns(MINUTE)

    def _times(self, first: int, count: int) -> Numbers:
        """Milliseconds since the epoch."""
        due = self._start + np.interp((first + np.arange(count)) / self._lines, self._reached, self._minutes)
        late = self._chance.random(count)
        due -= np.where(late < _LATE, self._chance.exponential(20, count), 0)
        due -= np.where(late < _VERY_LATE, self._chance.exponential(7_200, count), 0)
        return (due * 1000).astype(np.int64)


def _of(texts: tuple[str | None, ...], column: str) -> pl.Expr:
    return pl.lit(pl.Series(texts, dtype=pl.String)).gather(pl.col(column))
