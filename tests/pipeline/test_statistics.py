"""Statistics equal a recount of every line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import cut, statistics
from pipeline.statistic import KINDS, RANGES, SCOPES
from pipeline.storage import Store
from tests.stores import Seen, agree, empty, floor, put, recount

MICROSECOND = timedelta(microseconds=1)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)

_nows = st.one_of(
    st.sampled_from([NOON, NOON + MICROSECOND, NOON - MICROSECOND, NOON.replace(hour=0), NOON.replace(minute=5)]),
    st.datetimes(datetime(2026, 2, 20), datetime(2026, 3, 10), timezones=st.just(UTC)),  # noqa: DTZ001 (hypothesis asks for naive bounds)
)


@st.composite
def _lines(draw: st.DrawFn, now: datetime) -> list[Seen]:
    """Lines at the edges of the windows and of their buckets, hours and days back, and after now."""
    edges = [now, *(now - length for length in RANGES.values())]
    edges += [floor(edge, width) for edge in edges for width in (60, 300, 3600, 86400)]
    nearby = st.sampled_from([timedelta(0), MICROSECOND, -MICROSECOND, timedelta(seconds=59), timedelta(minutes=1)])
    anywhere = st.timedeltas(timedelta(minutes=-10), timedelta(days=8)).map(lambda back: now - back)
    at = st.one_of(st.builds(lambda edge, by: edge + by, st.sampled_from(edges), nearby), anywhere)
    line = st.builds(
        Seen,
        at=at,
        ip=st.one_of(st.integers(1, 9).map(lambda n: f"10.0.0.{n}"), st.integers(1, 9).map(lambda n: f"2001:db8::{n}")),
        method=st.sampled_from(["GET", "POST"]),
        status=st.sampled_from([200, 200, 301, 404, 500, 599]),
        latency_ms=st.one_of(st.integers(0, 2000), st.just(2**31 - 1)),
        path=st.sampled_from(["/", "/about", "/products/1"]),
        # A rule that changed in mid-minute keeps some and discards others of one status.
        rule=st.sampled_from([frozenset({200}), frozenset({200}), frozenset({404, 599})]),
        named=st.just(True),
    )
    return draw(st.lists(line, max_size=40))


@st.composite
def splits(draw: st.DrawFn, lines: list[Seen]) -> list[list[Seen]]:
    """The same lines in batches, in any order."""
    shuffled = draw(st.permutations(lines))
    cuts = sorted(draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    return [shuffled[first:after] for first, after in pairwise([0, *cuts, len(lines)])]


# The store is emptied in each example, so that sharing the fixture between them is sound.
_examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_examples
@given(data=st.data(), now=_nows)
def test_every_statistic_equals_a_recount(store: Store, data: st.DataObject, now: datetime) -> None:
    empty(store)
    lines = data.draw(_lines(now))
    for batch in data.draw(splits(lines)):
        put(store, batch)
    for length in RANGES.values():
        for scope in SCOPES:
            for kind in KINDS:
                found = dict(statistics.compute(store, kind, now - length, now, scope).data)
                previous = found.pop("previous", None)
                _equal(found, lines, kind, now - length, now, scope, now)
                if previous is not None:
                    start = now - 2 * length - MICROSECOND
                    if scope == "all" and length > timedelta(days=4):
                        start = floor(start, 3600)  # Minutes of that long ago are gone.
                    _equal(previous, lines, kind, start, now - length - MICROSECOND, scope)


def _equal(
    found: dict[str, Any],
    lines: list[Seen],
    kind: str,
    start: datetime,
    end: datetime,
    scope: str,
    now: datetime | None = None,
) -> None:
    expected = recount(lines, kind, start, end, scope, now)
    if scope == "all" and "unique_ips" in expected:
        # Its start is rounded down to five minutes, and it is an estimate.
        width = 3600 if start == floor(start, 3600) else 300
        wide = recount(lines, "traffic", floor(start, width), floor(end, 300) + timedelta(seconds=299), scope)
        expected["unique_ips"] = wide["unique_ips"]
    agree(found, expected, visitors_known=scope == "stored")


@_examples
@given(data=st.data(), now=_nows)
def test_estimated_visitors_of_stored_rows_keep_to_the_window(store: Store, data: st.DataObject, now: datetime) -> None:
    empty(store)
    lines = data.draw(_lines(now))
    put(store, lines)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(statistics, "EXACT_ROWS", -1)
        for length in RANGES.values():
            found = statistics.compute(store, "traffic", now - length, now, "stored")
            expected = recount(lines, "traffic", now - length, now, "stored")
            assert abs(found.data["unique_ips"] - expected["unique_ips"]) <= 1
            assert found.data["total_request"] == expected["total_request"]
            assert found.meta["estimated"] == {"unique_ips": 0.0081}


@_examples
@given(data=st.data(), now=_nows, seconds=st.floats(0, 400))
def test_a_short_window_is_counted_as_well(store: Store, data: st.DataObject, now: datetime, seconds: float) -> None:
    empty(store)
    lines = data.draw(_lines(now))
    put(store, lines)
    start = now - timedelta(seconds=seconds)
    for kind in KINDS:
        found = dict(statistics.compute(store, kind, start, now, "stored").data)
        found.pop("previous", None)
        agree(found, recount(lines, kind, start, now, "stored"))


def test_many_visitors_are_estimated_within_the_stated_error(store: Store) -> None:
    lines = [
        Seen(NOON - timedelta(milliseconds=170 * number), ip=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        for number in range(21_000)
    ]
    put(store, lines)
    found = statistics.compute(store, "traffic", NOON - RANGES["hour"], NOON, "stored")
    assert found.data["total_request"] == 21_000
    assert found.data["unique_ips"] == pytest.approx(21_000, rel=4 * found.meta["estimated"]["unique_ips"])
    assert "visitors_rounded_to_seconds" not in found.meta


def test_crowded_edges_are_estimated_from_whole_buckets(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, [Seen(NOON - RANGES["hour"] - timedelta(seconds=1), ip="10.0.0.9"), Seen(NOON), Seen(NOON)])
    monkeypatch.setattr(statistics, "EXACT_ROWS", 1)
    monkeypatch.setattr(cut, "EDGE_ROWS", 1)
    found = statistics.compute(store, "traffic", NOON - RANGES["hour"] + timedelta(seconds=1), NOON, "stored")
    assert found.data == {"total_request": 2, "unique_ips": 1}
    assert found.meta["visitors_rounded_to_seconds"] == 300


@pytest.mark.parametrize("scope", SCOPES)
def test_an_empty_window_answers_zeros(store: Store, scope: str) -> None:
    def data(kind: str) -> dict[str, object]:
        return statistics.compute(store, kind, NOON - RANGES["week"], NOON, scope).data

    assert data("latency") == dict.fromkeys(("avg_latency", "max_latency", *statistics.QUANTILES), 0)
    assert data("traffic") == {"total_request": 0, "unique_ips": 0}
    assert data("errors") == {}


def test_what_is_rounded_is_said(store: Store) -> None:
    now = NOON + timedelta(seconds=30, milliseconds=250)
    stored = statistics.compute(store, "traffic", now - RANGES["hour"], now, "stored").meta
    assert stored["window"] == {"from": "2026-03-03T11:00:30.25Z", "to": "2026-03-03T12:00:30.25Z"}
    assert "estimated" not in stored
    everything = statistics.compute(store, "traffic", now - RANGES["hour"], now, "all").meta
    assert everything["window"] == {"from": "2026-03-03T11:00:00Z", "to": "2026-03-03T12:00:30.25Z"}
    assert (everything["rounded_to_seconds"], everything["visitors_rounded_to_seconds"]) == (60, 300)
    assert everything["estimated"] == {"unique_ips": 0.0081}
