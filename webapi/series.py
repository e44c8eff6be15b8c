"""Numbers over time: a point for each step of a window, zeros too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipeline.facts import Facts, Found
from pipeline.statistics import Question, latency, quantile_errors
from webapi.points import points
from webapi.questions import SeriesQuestion
from webapi.visitors import visitors

_CLASSES: Final = range(1, 6)


def series(asked: SeriesQuestion, question: Question) -> dict[str, Any]:
    """The points of a series, oldest first, and what they cover. Within a transaction."""
    if asked.metric == "visitors":
        return visitors(asked, question)
    by = ("class",) if asked.by or asked.metric == "errors" else ()
    found = question.facts("time", *by, latencies=asked.metric == "latency", step=asked.step)
    tell = _METRICS[asked.metric, asked.by]
    errors = quantile_errors(found.total) if asked.metric == "latency" else {}
    return points(asked, question, found, lambda start: tell(found, start), errors)


def _classes(found: Found, start: int) -> dict[int, int]:
    return {number: found.groups.get((start, number), Facts()).requests for number in _CLASSES}


def _requests(found: Found, start: int) -> dict[str, Any]:
    return {"requests": found.groups.get((start,), Facts()).requests}


def _by_class(found: Found, start: int) -> dict[str, Any]:
    return {f"{number}xx": requests for number, requests in _classes(found, start).items()}


def _errors(found: Found, start: int) -> dict[str, Any]:
    classes = _classes(found, start)
    requests, errors = sum(classes.values()), classes[4] + classes[5]
    rate = round(errors / requests, 6) if requests else 0
    return {"errors": errors, "requests": requests, "error_rate": rate}


def _errors_by_class(found: Found, start: int) -> dict[str, Any]:
    classes = _classes(found, start)
    return {"4xx": classes[4], "5xx": classes[5]}


def _latency(found: Found, start: int) -> dict[str, Any]:
    return dict(latency(found.groups.get((start,), Facts())))


_METRICS: Final[dict[tuple[str, str | None], Callable[[Found, int], dict[str, Any]]]] = {
    ("requests", None): _requests,
    ("requests", "class"): _by_class,
    ("errors", None): _errors,
    ("errors", "class"): _errors_by_class,
    ("latency", None): _latency,
}
