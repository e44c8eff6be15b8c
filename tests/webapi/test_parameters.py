"""What a query says, and what it may not say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadParameter
from pipeline.moment import rfc3339
from pipeline.selection import EVERYTHING, Selection, Substring
from pipeline.statistic import RANGES
from webapi.declarations import EXPORT, LEDGER, LOGS, SERIES, STATS, TAIL, TOPS
from webapi.parameter import Pairs
from webapi.parameters import (
    export_question,
    ledger_question,
    line_question,
    logs_question,
    points,
    series_question,
    stats_question,
    tail_question,
    top_question,
)
from webapi.questions import (
    ExportQuestion,
    LogsQuestion,
    SeriesQuestion,
    StatsQuestion,
    TailQuestion,
    TopQuestion,
)

NOW = datetime(2026, 3, 3, 12, 0, 30, tzinfo=UTC)


def start(text: str) -> datetime | None:
    """What `/logs` understands by `from`."""
    return logs_question([("from", text)], NOW).start


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-06-10T10:41:40Z", datetime(2025, 6, 10, 10, 41, 40, tzinfo=UTC)),
        ("2025-06-10t10:41:40.25z", datetime(2025, 6, 10, 10, 41, 40, 250_000, tzinfo=UTC)),
        ("2025-06-10T10:41:40+02:00", datetime(2025, 6, 10, 8, 41, 40, tzinfo=UTC)),
        ("2025-06-10T10:41:40 02:00", datetime(2025, 6, 10, 8, 41, 40, tzinfo=UTC)),
        ("2025-06-10T10:41:40.123456-23:59", datetime(2025, 6, 11, 10, 40, 40, 123_456, tzinfo=UTC)),
        ("1066-10-14T09:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(2100, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_understood(text: str, expected: datetime) -> None:
    assert start(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2025-06-10",
        "2025-06-10T10:41:40",
        "2025-06-10 10:41:40Z",
        "2025-02-30T00:00:00Z",
        "1749552100",
        "2025-06-10T24:00:00Z",
        "2025-06-10T10:41:60Z",
        "2025-06-10T10:41:40.1234567Z",
        "2025-06-10T10:41:40Z\n",
        "2025-06-10T10:41:40+24:00",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
        "0000-01-01T00:00:00Z",
        "２０25-06-10T10:41:40Z",  # noqa: RUF001 (digits that are not ASCII's)
        "2025-06-10T10:41:40  02:00",
    ],
)
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadParameter) as refused:
        start(text)
    assert refused.value.name == "from"


@given(st.integers(86_400, 4_102_358_400), st.integers(-1439, 1439))
def test_every_offset_means_the_same_moment(seconds: int, minutes: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    sign, rest = "-" if minutes < 0 else "+", abs(minutes)
    local = moment + timedelta(minutes=minutes)
    assert start(f"{local:%Y-%m-%dT%H:%M:%S}{sign}{rest // 60:02d}:{rest % 60:02d}") == moment


NAMES = [*sorted({parameter.name for parameter in (*LOGS, *EXPORT, *TAIL, *STATS, *SERIES, *TOPS)}), "_", "x"]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["5xx", "GET", "/a", "::/0", "1", "hour", "class", "path", "1m", "2026-03-03T12:00:00Z"]),
)
ALL = (LOGS, EXPORT, TAIL, STATS, SERIES, TOPS, LEDGER)


@given(st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=4))
def test_no_query_does_worse_than_be_refused(pairs: list[tuple[str, str]]) -> None:
    for understand in (
        lambda: logs_question(pairs, NOW),
        lambda: export_question(pairs, NOW),
        lambda: tail_question(pairs),
        lambda: stats_question(pairs, NOW),
        lambda: series_question(pairs, NOW),
        lambda: top_question(pairs, NOW),
        lambda: ledger_question(pairs),
    ):
        try:
            understand()
        except BadParameter as refused:
            assert refused.name in {*dict(pairs), "q"}


def test_each_example_and_each_default_is_understood() -> None:
    for parameter in {parameter.name: parameter for known in ALL for parameter in known}.values():
        for text in {str(parameter.example), str(parameter.default or "")} - {""}:
            parameter.understand(text)


def test_an_endpoint_declares_a_name_once() -> None:
    for known in ALL:
        names = [parameter.name for parameter in known]
        assert len(names) == len(set(names))


def test_an_empty_query_has_defaults() -> None:
    hour = {"start": NOW - timedelta(hours=1), "end": NOW, "range_name": "hour"}
    assert logs_question([], NOW) == LogsQuestion(EVERYTHING, None, None, None, limit=50, offset=0)
    assert export_question([], NOW) == ExportQuestion(EVERYTHING, None, None, format="csv", limit=None)
    assert tail_question([]) == TailQuestion(EVERYTHING, None)
    assert stats_question([], NOW) == StatsQuestion(kind="errors", **hour, scope="stored", selection=EVERYTHING)
    assert series_question([], NOW) == SeriesQuestion(
        metric="requests", by=None, step=60, **hour, scope="stored", selection=EVERYTHING
    )
    assert top_question([], NOW) == TopQuestion(
        by="route", sort="requests", limit=10, **hour, scope="stored", selection=EVERYTHING
    )


def test_everything_that_is_said_of_a_line_is_required() -> None:
    query = [("status", "4xx"), ("q", "status:404,500 -/b latency:<100"), ("path", "/a"), ("min_latency", "10")]
    expected = Selection(
        status=frozenset({404}), path=(Substring("/a"), Substring("/b", negated=True)), min_latency=10, max_latency=99
    )
    for question in (logs_question(query, NOW), export_question(query, NOW), tail_question(query)):
        assert question.selection == expected


def test_a_search_says_where_it_is_wrong() -> None:
    with pytest.raises(BadParameter) as refused:
        logs_question([("q", "/a sttus:404")], NOW)
    assert (refused.value.name, refused.value.character) == ("q", 4)
    with pytest.raises(BadParameter, match="together with the other parameters, no line can match: no status is left"):
        logs_question([("q", "status:404"), ("status", "500")], NOW)


def test_a_latency_has_a_least_and_a_most() -> None:
    with pytest.raises(BadParameter, match="min_latency: it is greater than max_latency"):
        logs_question([("min_latency", "2"), ("max_latency", "1")], NOW)
    assert logs_question([("max_latency", "2147483647")], NOW).selection.max_latency == 2**31 - 1


@pytest.mark.parametrize("text", ["0", "-1", "01", "x", "", "9223372036854775808", "1.0", "+1"])
def test_what_is_no_lines_id_is_none(text: str) -> None:
    assert line_question(text, []) is None


def test_a_line_is_asked_for_by_its_id_alone() -> None:
    assert line_question("9223372036854775807", [("_", "1")]) == 2**63 - 1
    with pytest.raises(BadParameter):
        line_question("1", [("status", "404")])


def test_the_header_of_the_last_event_goes_before_the_parameter() -> None:
    assert tail_question([("last_event_id", "7")]).last_event_id == 7
    assert tail_question([("last_event_id", "7")], "").last_event_id == 7
    assert tail_question([("last_event_id", "7")], "8").last_event_id == 8
    with pytest.raises(BadParameter) as refused:
        tail_question([], "x")
    assert refused.value.name == "Last-Event-ID"


@pytest.mark.parametrize("understand", [stats_question, series_question, top_question])
def test_a_window_of_statistics(understand: Callable[[Pairs, datetime], StatsQuestion]) -> None:
    at = NOW - timedelta(hours=5)
    since = understand([("from", rfc3339(at))], NOW)
    assert (since.start, since.end, since.range_name) == (at, NOW, None)
    day = understand([("range", "day")], NOW)
    assert (day.start, day.end, day.range_name) == (NOW - timedelta(days=1), NOW, "day")
    for query, name in (
        ("to=2026-03-03T12:00:00Z", "to"),
        ("from=2026-03-03T12:00:31Z", "from"),
        ("from=2026-03-03T12:00:01Z&to=2026-03-03T12:00:00Z", "from"),
        ("range=day&from=2026-03-03T12:00:00Z", "range"),
        ("range=day&to=2026-03-03T12:00:00Z", "range"),
        ("ip=1.1.1.1", "ip"),
        ("min_latency=5", "min_latency"),
        ("q=/a", "q"),
    ):
        with pytest.raises(BadParameter) as refused:
            understand(parse_qsl(query), NOW)
        assert refused.value.name == name


def test_only_what_is_ranked_from_rows_can_be_chosen_by_what_only_rows_know() -> None:
    query = [("ip", "1.1.1.1"), ("path", "/a"), ("min_latency", "5"), ("max_latency", "6"), ("status", "404")]
    for by in ("path", "ip"):
        found = top_question([("by", by), *query], NOW).selection
        assert (found.path, found.min_latency, found.max_latency) == ((Substring("/a"),), 5, 6)
    for by in ("route", "status", "method"):
        with pytest.raises(BadParameter, match="it can be asked for only with by=path or by=ip"):
            top_question([("by", by), *query], NOW)


def test_each_range_has_a_step_of_its_own() -> None:
    steps = {name: series_question([("range", name)], NOW).step for name in RANGES}
    assert steps == {"15m": 60, "hour": 60, "day": 300, "week": 3600}


@given(st.integers(31 * 60, 130 * 365 * 86_400 - 1), st.integers(0, 86_400 * 366))
def test_a_chosen_step_makes_30_to_300_points(seconds: int, offset: int) -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(offset, 130 * 365 * 86_400 - seconds))
    end = start + timedelta(seconds=seconds)
    query = [("from", rfc3339(start)), ("to", rfc3339(end))]
    assert 30 <= points(start, end, series_question(query, NOW).step) <= 300


def test_too_many_points_are_refused_and_named() -> None:
    assert series_question([("range", "day"), ("step", "1m")], NOW).step == 60
    with pytest.raises(BadParameter, match="step: it would make 10081 points"):
        series_question([("range", "week"), ("step", "1m")], NOW)


def test_the_ledger_counts_whole_minutes_both_included() -> None:
    question = ledger_question([("from", "2026-03-03T12:00:59Z"), ("to", "2026-03-03T12:01:00Z")])
    assert question.first == datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
    assert question.end == datetime(2026, 3, 3, 12, 2, tzinfo=UTC)
