"""The points of a series as they are answered: one for each step of a window, zeros too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.facts import Found
from pipeline.moment import rfc3339
from pipeline.statistics import Question, estimated
from pipeline.window import moment
from webapi.questions import SeriesQuestion


def points(
    asked: SeriesQuestion,
    question: Question,
    found: Found,
    tell: Callable[[int], dict[str, Any]],
    errors: dict[str, float],
) -> dict[str, Any]:
    """A series, oldest first: `tell` says what a step that starts then (seconds since the epoch) comes to.

    `errors` are relative ones, by name. Within a transaction.
    """
    starts = range(found.window.start // 1_000_000, found.window.stop // 1_000_000, asked.step)
    return {
        "metric": asked.metric,
        "step_seconds": asked.step,
        "data": [{"time": rfc3339(moment(start * 1_000_000)), **tell(start)} for start in starts],
        "meta": question.meta(found, range=asked.range_name) | estimated(errors),
    }
