"""The query of a request, understood or refused: pure.

What is wrong with a parameter is a BadParameter that names it. An empty parameter is absent, `_` is ignored (it is
what browsers' tools add against caches), one that is unknown or repeated is refused. What each may say: `declarations`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from pipeline.errors import BadParameter
from pipeline.rollup import FIVE_MINUTES
from pipeline.selection import EVERYTHING, Selection
from pipeline.statistic import RANGES
from webapi import cursor
from webapi import declarations as declared
from webapi.conjunction import Contradiction, both
from webapi.parameter import Given, Pairs, Parameter
from webapi.questions import (
    DeadLettersQuestion,
    ExportQuestion,
    LedgerQuestion,
    LogsQuestion,
    OverviewQuestion,
    SeriesQuestion,
    StatsQuestion,
    TailQuestion,
    TopQuestion,
)
from webapi.steps import chosen_step, points

_MINUTE: Final = timedelta(minutes=1)


class Window(NamedTuple):
    """From `start` to `end`, both included; `range_name` where it was given by that."""

    start: datetime
    end: datetime
    range_name: str | None


def logs_question(pairs: Pairs, now: datetime) -> LogsQuestion:
    """The question of `/logs`. Raises BadParameter."""
    given = Given(pairs, declared.LOGS)
    start, end, range_name = _optional_window(given, now)
    question = LogsQuestion(
        selection=_searched(given),
        start=start,
        end=end,
        range_name=range_name,
        limit=given.read(declared.PAGE_LIMIT),
        offset=given.read(declared.OFFSET),
    )
    text = given.read(declared.CURSOR)
    if text is None:
        return question
    if declared.OFFSET in given:
        raise BadParameter("cursor", "it says where the page begins: give either it or offset")
    return cursor.decode(text, question)


def line_question(number: str, pairs: Pairs) -> int | None:
    """The id that `/logs/{id}` or `/dead-letters/{id}` names, None where nothing can have it. Raises BadParameter."""
    Given(pairs, ())
    try:
        return declared.ID.understand(number) if not number.startswith("0") else None
    except ValueError:
        return None


def export_question(pairs: Pairs, now: datetime) -> ExportQuestion:
    """The question of `/logs/export`. Raises BadParameter."""
    given = Given(pairs, declared.EXPORT)
    start, end, _ = _optional_window(given, now)
    return ExportQuestion(
        selection=_searched(given),
        start=start,
        end=end,
        format=given.read(declared.FORMAT),
        limit=given.read(declared.EXPORT_LIMIT),
    )


def tail_question(pairs: Pairs, last_event_id: str | None = None) -> TailQuestion:
    """The question of `/logs/tail`; `last_event_id` is the header's, and goes before the parameter's.

    Raises BadParameter.
    """
    given = Given(pairs, declared.TAIL)
    last = given.read(declared.LAST_EVENT_ID)
    if last_event_id:
        try:
            last = declared.LAST_EVENT_ID.understand(last_event_id)
        except ValueError as error:
            raise BadParameter("Last-Event-ID", str(error)) from None
    return TailQuestion(_searched(given), last)


def stats_question(pairs: Pairs, now: datetime) -> StatsQuestion:
    """The question of `/stats`. Raises BadParameter."""
    given = Given(pairs, declared.STATS)
    start, end, range_name = _window(given, now)
    return StatsQuestion(
        kind=given.read(declared.TYPE),
        start=start,
        end=end,
        range_name=range_name,
        scope=given.read(declared.SCOPE),
        selection=_counted(given),
    )


def series_question(pairs: Pairs, now: datetime) -> SeriesQuestion:
    """The question of `/stats/series`. Raises BadParameter."""
    given = Given(pairs, declared.SERIES)
    start, end, range_name = _window(given, now)
    metric, by = given.read(declared.METRIC), given.read(declared.BY_CLASS)
    if metric in ("latency", "visitors") and by is not None:
        raise BadParameter("by", f"of {metric} there are points of all classes together only; filter by status")
    if metric == "visitors":
        for parameter in declared.STATS_SELECTION:
            if parameter in given:
                raise BadParameter(parameter.name, "how many visitors there were over time is known of all only")
    return SeriesQuestion(
        metric=metric,
        by=by,
        step=_step(given, start, end, metric),
        start=start,
        end=end,
        range_name=range_name,
        scope=given.read(declared.SCOPE),
        selection=_counted(given),
    )


def top_question(pairs: Pairs, now: datetime) -> TopQuestion:
    """The question of `/stats/top`. Raises BadParameter."""
    given = Given(pairs, declared.TOPS)
    start, end, range_name = _window(given, now)
    by = given.read(declared.BY)
    if by not in declared.ROWS_ONLY:
        for parameter in declared.ROWS_SELECTION:
            if parameter in given:
                raise BadParameter(parameter.name, "it can be asked for only with by=path or by=ip")
    return TopQuestion(
        by=by,
        sort=given.read(declared.SORT),
        limit=given.read(declared.TOP_LIMIT),
        start=start,
        end=end,
        range_name=range_name,
        scope=given.read(declared.SCOPE),
        selection=_said(given),
    )


def dead_letters_question(pairs: Pairs) -> DeadLettersQuestion:
    """The question of `/dead-letters`. Raises BadParameter."""
    given = Given(pairs, declared.DEAD_LETTERS)
    start, end = given.read(declared.FROM), given.read(declared.TO)
    _require_order(start, end)
    return DeadLettersQuestion(
        given.read(declared.REASON), start, end, given.read(declared.LETTERS_LIMIT), given.read(declared.BEFORE)
    )


def preview_question(pairs: Pairs) -> frozenset[int]:
    """The question of `/rules/preview`: which statuses would be discarded. Raises BadParameter."""
    return Given(pairs, declared.PREVIEW).read(declared.DISCARD_STATUS)


def ledger_question(pairs: Pairs) -> LedgerQuestion:
    """The question of `/ledger`: the minutes in which `from` and `to` lie are included. Raises BadParameter."""
    given = Given(pairs, declared.LEDGER)
    first, last = given.read(declared.FROM), given.read(declared.TO)
    _require_order(first, last)
    return LedgerQuestion(_minute(first) if first else None, _minute(last) + _MINUTE if last else None)


def _optional_window(given: Given, now: datetime) -> tuple[datetime | None, datetime | None, str | None]:
    if (range_name := _range_name(given, declared.RANGE)) is not None:
        return now - RANGES[range_name], now, range_name
    start, end = given.read(declared.FROM), given.read(declared.TO)
    _require_order(start, end)
    return start, end, None


def _window(given: Given, now: datetime) -> Window:
    range_name = _range_name(given, declared.STATS_RANGE)
    start, end = given.read(declared.FROM), given.read(declared.STATS_TO)
    if start is None:
        if end is not None:
            raise BadParameter("to", "it is given only together with from")
        range_name = range_name or "hour"
        return Window(now - RANGES[range_name], now, range_name)
    if end is None and start > now:
        raise BadParameter("from", "it is later than now")
    _require_order(start, end)
    return Window(start, end or now, None)


def _range_name(given: Given, parameter: Parameter[str | None]) -> str | None:
    range_name = given.read(parameter)
    if range_name and (declared.FROM in given or declared.TO in given):
        raise BadParameter("range", "it is short for from and to: give either it or them")
    return range_name


def _require_order(start: datetime | None, end: datetime | None) -> None:
    if start and end and start > end:
        raise BadParameter("from", "it is later than to")


def overview_question(pairs: Pairs, now: datetime) -> OverviewQuestion:
    """The question of `/overview`. Raises BadParameter."""
    given = Given(pairs, declared.OVERVIEW)
    start, end, range_name = _window(given, now)
    lines: Any = {
        "start": start,
        "end": end,
        "range_name": range_name,
        "scope": given.read(declared.SCOPE_ALL),
        "selection": _searched(given),
    }
    sorts = {"route": given.read(declared.ROUTES_SORT), "ip": given.read(declared.ADDRESSES_SORT)}
    step = chosen_step(start, end)
    return OverviewQuestion(
        summary=StatsQuestion(kind="summary", **lines),
        requests=SeriesQuestion(metric="requests", by="class", step=step, **lines),
        latency=SeriesQuestion(metric="latency", by=None, step=step, **lines),
        visitors=SeriesQuestion(metric="visitors", by=None, step=chosen_step(start, end, "visitors"), **lines),
        tops={
            by: TopQuestion(by=by, sort=sorts.get(by, "requests"), limit=declared.TOP, **lines)
            for by in ("route", "status", "method", "ip")
        },
        ledger=LedgerQuestion(_minute(start), _minute(end) + _MINUTE),
    )


def _step(given: Given, start: datetime, end: datetime, metric: str) -> int:
    step = given.read(declared.STEP)
    if step is None:
        return chosen_step(start, end, metric)
    if metric == "visitors" and step % FIVE_MINUTES:
        raise BadParameter("step", "visitors are counted by five minutes: expected a multiple of 5m")
    if (number := points(start, end, step)) > declared.MOST_POINTS:
        raise BadParameter(
            "step", f"it would make {number} points of the window; at most {declared.MOST_POINTS} are given"
        )
    return step


def _searched(given: Given) -> Selection:
    """What `q` and the parameters beside it say, all of it required."""
    try:
        return both(_said(given), given.read(declared.Q) or EVERYTHING)
    except Contradiction as error:
        raise BadParameter("q", f"together with the other parameters, {error}") from None


def _said(given: Given) -> Selection:
    """What the parameters about lines and their latencies say."""
    path = given.read(declared.PATH)
    least, most = given.read(declared.MIN_LATENCY), given.read(declared.MAX_LATENCY)
    if least is not None and most is not None and least > most:
        raise BadParameter("min_latency", "it is greater than max_latency")
    return msgspec.structs.replace(
        _counted(given),
        ip=given.read(declared.IP),
        path=() if path is None else (path,),
        min_latency=least,
        max_latency=most,
    )


def _counted(given: Given) -> Selection:
    """What the parameters about what is counted in rollups say."""
    return Selection(
        status=given.read(declared.STATUS), method=given.read(declared.METHOD), route=given.read(declared.ROUTE)
    )


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
