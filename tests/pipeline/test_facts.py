"""What is known of requests: sums that merge in any order, rows within a budget, and nothing that is gone told as 0."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, count, pairwise, repeat
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import entries, facts, histogram, reader, statistics
from pipeline.cut import cut
from pipeline.facts import Asked, Facts, Found
from pipeline.histogram import RELATIVE_ERROR
from pipeline.rollup import DAY, FIVE_MINUTES, HOUR, MINUTE, REQUEST_LEVELS, ROUTE_LEVELS, VISITOR_LEVELS
from pipeline.selection import EVERYTHING, OneOf, Selection
from pipeline.settings import Settings
from pipeline.statistic import KINDS, SCOPES
from pipeline.statistics import Question, Visitors
from pipeline.storage import Store
from pipeline.window import Window
from tasks import housekeeping
from tests.stores import Seen, empty, floor, put

NOW = datetime(2026, 3, 3, 12, 0, 30, 250_000, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
_examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_latencies = st.lists(st.integers(0, 2**31 - 1), max_size=8)


def of(latencies: list[int]) -> Facts:
    """The facts of some requests."""
    return Facts(
        len(latencies),
        sum(latencies),
        max(latencies, default=0),
        tuple(histogram.spread(latencies, [1] * len(latencies), [len(latencies)])),
    )


def known(one: Facts) -> tuple[Any, ...]:
    """Facts, with their histograms merged."""
    return (*one[:3], histogram.totals(one.latencies).tolist())


@given(_latencies, _latencies, _latencies)
def test_merging_is_associative_and_commutative(one: list[int], two: list[int], three: list[int]) -> None:
    a, b, c = map(of, (one, two, three))
    assert known(a + b) == known(b + a) == known(of(one + two))
    assert known((a + b) + c) == known(a + (b + c)) == known(facts.together((c, a, b)))
    assert known(a + Facts()) == known(a) == known(facts.together([a]))


def test_facts_are_added_to_facts_only() -> None:
    with pytest.raises(TypeError):
        operator.add(Facts(), (1,))


def read(store: Store, asked: Asked, now: datetime = NOW, **more: Any) -> Found:
    """The answer to a question."""
    return store.read(lambda: reader.read(asked, now.timestamp(), **more))


_times = st.one_of(
    st.timedeltas(timedelta(minutes=-5), timedelta(hours=2)).map(lambda back: NOW - back),
    st.timedeltas(timedelta(0), 130 * ONE_DAY).map(lambda back: NOW - back),
    st.sampled_from([9, 100]).flatmap(
        lambda days: st.timedeltas(timedelta(hours=-30), timedelta(hours=30)).map(lambda by: NOW - days * ONE_DAY + by)
    ),
)
_lines = st.lists(
    st.builds(
        Seen,
        at=_times,
        ip=st.integers(1, 4).map(lambda n: f"10.0.0.{n}"),
        path=st.sampled_from(["/", "/a/1", "/a/2", "/b"]),
        status=st.sampled_from([200, 301, 404, 503]),
        latency_ms=st.integers(0, 300),
        method=st.just("GET"),
        rule=st.just(frozenset({200})),
        named=st.just(True),
    ),
    max_size=25,
)
_windows = st.tuples(_times, _times).map(lambda ends: (min(ends), max(ends)))
_selections = st.sampled_from(
    [
        EVERYTHING,
        Selection(status=frozenset({404})),
        Selection(status=frozenset(range(400, 600)), route=OneOf(("/a/{id}",))),
        Selection(status=frozenset({404}), route=OneOf(("/a/{id}",))),
        Selection(path=()),
        Selection(min_latency=100),
    ]
)


def fits(selection: Selection, line: Seen) -> bool:
    """Whether a line is of a selection."""
    return (
        (selection.status is None or line.status in selection.status)
        and (selection.route is None or line.route in selection.route.values)
        and line.latency_ms >= (selection.min_latency or 0)
    )


def inside(lines: list[Seen], window: Window, selection: Selection, which: str) -> list[int]:
    """The latencies of the lines that an answer is about."""
    return [
        line.latency_ms
        for line in lines
        if window.first <= line.at <= window.last and fits(selection, line) and (line.kept or which == "all")
    ]


@_examples
@given(
    lines=_lines,
    window=_windows,
    selection=_selections,
    scope=st.sampled_from(SCOPES),
    retention=st.sampled_from([1, 8, 30, 1000]),
    step=st.sampled_from([None, 60, 300, 3600, 5400, 86_400, 7 * 86_400]),
)
def test_after_housekeeping_all_that_is_told_is_true_and_what_is_gone_is_said(
    store: Store,
    lines: list[Seen],
    window: tuple[datetime, datetime],
    selection: Selection,
    scope: str,
    retention: int,
    step: int | None,
) -> None:
    empty(store)
    if lines:
        put(store, lines)
    with pytest.MonkeyPatch.context() as patched:
        # Housekeeping's clock is a little ahead.
        patched.setattr(housekeeping, "present", lambda _: (NOW + timedelta(minutes=2)).replace(tzinfo=None))
        for job in ("rollups", "rows"):
            assert not housekeeping.run(store, Settings(retention_days=retention), job)
    by = () if step is None else ("time",)
    asked = Asked(Window.of(*window), selection, scope, by, latencies=True, step=step or MINUTE)
    found = read(store, asked)
    expected = inside(lines, found.window, selection, found.coverage.lines)
    total = found.total
    if found.coverage.complete:
        assert known(total) == known(of(expected))
        assert found.coverage.share == 1
    else:
        assert found.coverage.source == "rows"
        assert found.coverage.share < 1
        assert total.requests <= len(expected)
        assert total.latency_sum <= sum(expected)
        assert (histogram.totals(total.latencies) <= histogram.totals(of(expected).latencies)).all()
    asked_for = asked.window
    assert found.window.start <= asked_for.start
    assert asked_for.stop <= found.window.stop
    if not found.rounded:
        assert found.window == asked_for
    assert asked_for.start - found.window.start < max(found.rounded, 1) * 1_000_000
    assert found.window.stop - asked_for.stop < max(found.rounded, 1) * 1_000_000
    for (at,) in found.groups if by else []:
        bucket = Window(at * 1_000_000, (at + asked.step) * 1_000_000)
        expected = inside(lines, bucket, selection, found.coverage.lines)
        assert found.groups[(at,)].requests <= len(expected)
        if found.coverage.complete:
            assert known(found.groups[(at,)]) == known(of(expected))


@_examples
@given(
    lines=_lines,
    # What ends now has a test of its own.
    window=_windows.filter(lambda ends: ends[1] != NOW),
    scope=st.sampled_from(SCOPES),
    retention=st.sampled_from([1, 8, 1000]),
)
def test_after_housekeeping_statistics_are_true_of_the_window_that_they_tell(
    store: Store, lines: list[Seen], window: tuple[datetime, datetime], scope: str, retention: int
) -> None:
    empty(store)
    if lines:
        put(store, lines)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(housekeeping, "present", lambda _: NOW.replace(tzinfo=None))
        for job in ("rollups", "rows"):
            housekeeping.run(store, Settings(retention_days=retention), job)
    found = statistics.compute(store, "summary", *window, scope, now=NOW)
    for data, meta in ((found.data, found.meta), (found.data["previous"], found.meta["previous"])):
        told = Window.of(*(datetime.fromisoformat(meta["window"][end]) for end in ("from", "to")))
        assert data["requests"] == len(inside(lines, told, EVERYTHING, scope))
        assert meta["coverage"]["complete"]
        assert meta["visitors_coverage"]["complete"]
        around = meta.get("visitors_rounded_to_seconds", 0) * 1_000_000
        first = (window if data is found.data else (told.first, told.last))[0]
        least = Window(told.start + 86_400 * 1_000_000 * bool(around), told.stop - 86_400 * 1_000_000 * bool(around))
        wide = Window(told.start - around, told.stop + around)
        ips = [
            {line.ip for line in lines if one.first <= line.at <= one.last and (line.kept or scope == "all")}
            for one in (least, wide)
        ]
        assert first >= told.first or data is not found.data
        assert len(ips[0]) <= data["unique_ips"] <= len(ips[1])


def test_what_ends_now_is_told_so_and_holds_what_is_dated_into_its_last_bucket(store: Store) -> None:
    """A clock that is ahead of ours by less than a bucket is not told apart: a bucket is counted whole."""
    ahead = [NOW + timedelta(seconds=29), NOW + timedelta(seconds=31)]
    put(store, [Seen(at) for at in (NOW - timedelta(seconds=1), NOW, *ahead)])
    for scope, requests in (("stored", 2), ("all", 3)):
        found = statistics.compute(store, "traffic", NOW - timedelta(hours=1), NOW, scope, now=NOW)
        assert (found.data["total_request"], found.meta["window"]["to"]) == (requests, "2026-03-03T12:00:30.25Z")


@pytest.mark.parametrize("levels", [REQUEST_LEVELS, ROUTE_LEVELS, VISITOR_LEVELS])
@given(ends=st.tuples(_times, _times), ahead=st.integers(0, HOUR))
def test_no_bucket_is_read_that_may_be_gone(
    levels: tuple[int, ...], ends: tuple[datetime, datetime], ahead: int
) -> None:
    window, now = Window.of(min(ends), max(ends)), NOW.timestamp()
    found = cut(window, levels, now, exact=False, clock=lambda: 0)
    kept = {MINUTE: 9 * DAY, FIVE_MINUTES: 9 * DAY, HOUR: 100 * DAY}
    for span in found.spans:
        assert span.first >= now + ahead - kept.get(span.level, now + ahead)
        assert span.first % span.level == span.end % span.level == 0
    assert all(one.end == other.first for one, other in pairwise(found.spans))
    assert (found.spans[0].first * 1_000_000, found.spans[-1].end * 1_000_000) == found.window
    assert found.edges == []


def ticking(step: float) -> Iterator[float]:
    """A clock on which so many seconds pass between two looks."""
    return (number * step for number in count())


@pytest.mark.parametrize("latencies", [False, True])
@pytest.mark.parametrize("by", [(), ("ip",), ("path", "class"), ("time", "class")])
def test_a_budget_that_is_used_up_gives_less_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, latencies: bool, by: tuple[str, ...]
) -> None:
    # Given rows in two batches, the late one with lines of the same minutes,
    lines = [Seen(NOW - timedelta(seconds=7 * n), f"10.0.0.{n % 3}", path=f"/{n % 4}", latency_ms=n) for n in range(90)]
    put(store, lines[::2])
    put(store, lines[1::2])
    monkeypatch.setattr(entries, "_FIRST_PIECE", 8)
    window = Window.of(NOW - timedelta(hours=1), NOW)
    asked = Asked(window, Selection(max_latency=80), "stored", by, latencies, budget=1.0)
    everything = read(store, asked)
    assert (everything.total.requests, everything.coverage.complete) == (81, True)
    before = -1
    for step in (10.0, 0.4, 0.2, 0.01):
        clock = ticking(step)
        found = read(store, asked, clock=lambda clock=clock: next(clock))
        assert all(found.groups[key].requests <= everything.groups[key].requests for key in found.groups)
        assert all(found.groups[key].latency_sum <= everything.groups[key].latency_sum for key in found.groups)
        assert before <= found.total.requests
        before = found.total.requests
        assert found.coverage.complete == (found.coverage.share == 1) == (before == 81)
        # The first query is always made; what was read is known to a few rows.
        assert found.coverage.share * 90 == pytest.approx(before, abs=10)
        assert found.coverage.source == "rows"
    assert before == 81


def test_addresses_within_a_budget(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, [Seen(NOW - timedelta(seconds=n), f"10.0.0.{n}") for n in range(60)])
    monkeypatch.setattr(entries, "_FIRST_PIECE", 10)
    monkeypatch.setattr(facts, "BUDGET", 0.0)
    found = statistics.compute(store, "summary", NOW - ONE_DAY, NOW, "stored", Selection(min_latency=1))
    assert found.data["requests"] == found.data["unique_ips"] == 10
    expected = {"source": "rows", "lines": "stored", "complete": False, "share": 0.1667}
    assert found.meta["coverage"] == found.meta["visitors_coverage"] == expected


def test_visitors_are_counted_among_the_rows_of_the_requests(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given lines of an address each, and a clock by which there is time for so many looks at it,
    put(store, [Seen(NOW - timedelta(seconds=n), f"10.0.0.{n}") for n in range(60)])
    monkeypatch.setattr(entries, "_FIRST_PIECE", 7)
    window, seen = Window.of(NOW - ONE_DAY, NOW), set()
    for looks in range(40):
        times = chain(repeat(0.0, looks), repeat(9.0))

        def ask(times: Iterator[float] = times) -> tuple[Found, Visitors]:
            question = Question(store, window, "stored", Selection(min_latency=1), NOW, 5.0, lambda: next(times))
            found = question.facts("class")
            return found, question.visitors(found)

        found, visitors = store.read(ask)
        # as many addresses as rows were read, which are all of the requests or fewer.
        assert visitors.unique == round(60 * visitors.coverage.share) <= found.total.requests
        seen.add((found.coverage.complete, visitors.coverage.share == found.coverage.share))
    assert seen == {(False, True), (True, False), (True, True)}


def test_many_addresses_of_a_selection_are_estimated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, [Seen(NOW - timedelta(seconds=n), f"10.0.0.{n}") for n in range(60)])
    monkeypatch.setattr(statistics, "EXACT_ROWS", 7)
    monkeypatch.setattr(entries, "_FIRST_PIECE", 10)
    found = statistics.compute(store, "traffic", NOW - ONE_DAY, NOW, "all", Selection(status=frozenset({404})))
    assert found.data["unique_ips"] == pytest.approx(60, abs=2)
    assert found.meta["estimated"] == {"unique_ips": 0.0081}
    assert found.meta["visitors_coverage"]["lines"] == "stored"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_window_from_the_first_moment_there_is(store: Store, kind: str, scope: str) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    put(store, [Seen(epoch, status=404), Seen(NOW + 400 * ONE_DAY)])
    found = statistics.compute(store, kind, epoch, NOW, scope, now=NOW)
    if kind == "summary":
        assert (found.data["requests"], found.data["previous"]["requests"]) == (1, 0)
        assert found.data["previous"]["requests_per_second"] == 0
    later = statistics.compute(store, kind, NOW + 399 * ONE_DAY, NOW + 401 * ONE_DAY, scope, now=NOW)
    assert later.data.get("total_request", 1) == 1


def test_the_greatest_latencies_are_summed(store: Store) -> None:
    most = 2**31 - 1
    put(store, [Seen(NOW - n * ONE_DAY, latency_ms=most) for n in range(30)])
    found = statistics.compute(store, "latency", NOW - 40 * ONE_DAY, NOW, "stored")
    assert (found.data["avg_latency"], found.data["max_latency"]) == (most, most)
    assert found.data["p99_latency"] == pytest.approx(most, rel=RELATIVE_ERROR)
    assert found.meta["estimated"] == dict.fromkeys(statistics.QUANTILES, RELATIVE_ERROR)


def test_what_is_told_exactly_is_not_said_to_be_estimated(store: Store) -> None:
    put(store, [Seen(NOW, latency_ms=n) for n in range(histogram.EXACT + 1)])
    found = statistics.compute(store, "latency", NOW - ONE_DAY, NOW, "stored")
    assert found.data["p99_latency"] == 49
    assert "estimated" not in found.meta


def test_the_last_microsecond_of_a_minute_is_of_that_minute(store: Store) -> None:
    minute = floor(NOW, 60)
    put(store, [Seen(minute - timedelta(microseconds=1)), Seen(minute)])
    asked = Asked(Window.of(minute - ONE_DAY, NOW), Selection(min_latency=1), "stored", ("time",))
    start = int(minute.timestamp())
    assert {at: one.requests for (at,), one in read(store, asked).groups.items()} == {start - 60: 1, start: 1}


def test_numbers_are_pythons_own(store: Store) -> None:
    put(store, [Seen(NOW, latency_ms=7), Seen(NOW - ONE_DAY, latency_ms=9)])
    for selection in (EVERYTHING, Selection(min_latency=1)):
        for latencies in (False, True):
            asked = Asked(Window.of(NOW - 2 * ONE_DAY, NOW), selection, "stored", ("time", "class"), latencies)
            for key, one in read(store, asked).groups.items():
                assert {type(value) for value in (*key, *one[:3])} == {int}
    assert np.array(1).dtype == np.int64


@pytest.mark.parametrize("days", [5, 20])
def test_edges_whose_rows_are_gone_are_counted_from_whole_buckets_and_that_is_said(store: Store, days: int) -> None:
    at = floor(NOW - days * ONE_DAY, 3600) + timedelta(minutes=20)
    # The bucket in which the window begins is empty: of that one nothing is missing.
    put(store, [Seen(at + timedelta(hours=1, seconds=20)), Seen(at + timedelta(hours=1, minutes=2))])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(housekeeping, "present", lambda _: NOW.replace(tzinfo=None))
        for job in ("rollups", "rows"):
            housekeeping.run(store, Settings(retention_days=1), job)
    for kind in ("traffic", "latency"):
        end = at + timedelta(hours=1, seconds=30)
        found = statistics.compute(store, kind, at + timedelta(seconds=30), end, "stored", now=NOW)
        assert found.meta["rounded_to_seconds"] == {5: 60, 20: 3600}[days]
        told = Window.of(*(datetime.fromisoformat(found.meta["window"][end]) for end in ("from", "to")))
        assert found.data.get("total_request", {5: 1, 20: 2}[days]) == {5: 1, 20: 2}[days]
        assert told.last >= end
