"""What a query says, and what it may not say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadParameter
from webapi.parameters import ledger_question, logs_question, stats_question

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


@given(
    st.lists(st.tuples(st.sampled_from(["ip", "from", "limit", "path", "_", "x"]), st.text(max_size=30)), max_size=4)
)
def test_no_query_does_worse_than_be_refused(pairs: list[tuple[str, str]]) -> None:
    for question in (
        lambda: logs_question(pairs, NOW),
        lambda: stats_question(pairs, NOW),
        lambda: ledger_question(pairs),
    ):
        try:
            question()
        except BadParameter as refused:
            assert refused.name in dict(pairs)


def test_the_ledger_counts_whole_minutes_both_included() -> None:
    question = ledger_question([("from", "2026-03-03T12:00:59Z"), ("to", "2026-03-03T12:01:00Z")])
    assert question.first == datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
    assert question.end == datetime(2026, 3, 3, 12, 2, tzinfo=UTC)
