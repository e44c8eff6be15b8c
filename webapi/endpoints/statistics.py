"""Endpoints of numbers."""

from __future__ import annotations

from typing import Final

from webapi import declarations as declared
from webapi.answers.overview import OverviewAnswer
from webapi.answers.preview import PreviewAnswer
from webapi.answers.statistics import SeriesAnswer, StatsAnswer, TopAnswer
from webapi.endpoints.endpoint import STORED, Endpoint, json_of

STATISTICS: Final = (
    Endpoint(
        path="/stats",
        group="Statistics",
        summary="One of the statistics",
        description=(
            "Of a window that ends now, or of any. Statistics of `range` come from a cache, and say how old they are"
            " (`Age`, `X-Cache`, `meta.computed_at`). What is estimated says its relative error in `meta.estimated`."
        ),
        parameters=declared.STATS,
        answers=json_of(StatsAnswer, "The statistic.", "Age", "X-Cache"),
        problems=STORED,
        example="/stats?type=summary&range=hour&scope=all",
    ),
    Endpoint(
        path="/stats/series",
        group="Statistics",
        summary="A statistic over time",
        description="Points of equal steps, oldest first; where nothing happened they are there, with zeros.",
        parameters=declared.SERIES,
        answers=json_of(SeriesAnswer, "The points."),
        problems=STORED,
        example="/stats/series?metric=requests&by=class&range=day&step=15m",
    ),
    Endpoint(
        path="/stats/top",
        group="Statistics",
        summary="The busiest, the slowest, those with the most errors",
        description="Routes, paths, statuses, methods or addresses, ranked. `path` and `ip` know stored lines only.",
        parameters=declared.TOPS,
        answers=json_of(TopAnswer, "The ranking."),
        problems=STORED,
        example="/stats/top?by=route&sort=p95&range=hour&scope=all",
    ),
    Endpoint(
        path="/overview",
        group="Statistics",
        summary="All that a page shows first, in one answer",
        description=(
            "The summary, requests by class, latencies and visitors over time, the first of routes, statuses, methods"
            " and addresses, and where the lines are: each as its own endpoint tells it, or with a `problem` in its"
            " place. What only stored rows can tell is looked for during a twentieth of a second each; `meta.coverage`"
            " says how far that got."
        ),
        parameters=declared.OVERVIEW,
        answers=json_of(OverviewAnswer, "The overview.", "Server-Timing"),
        problems=STORED,
        example="/overview?range=hour&routes=p95",
    ),
    Endpoint(
        path="/rules/preview",
        group="Statistics",
        summary="What another DISCARD_STATUS would have stored",
        description="Of the last day's lines, beside what was stored of them; from rollups, which know discarded ones.",
        parameters=declared.PREVIEW,
        answers=json_of(PreviewAnswer, "Both, by status."),
        problems=STORED,
        example="/rules/preview?discard_status=2xx,3xx",
    ),
)
