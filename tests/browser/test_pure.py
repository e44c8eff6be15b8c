"""The page's pure functions, called in the browser that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser

from pipeline.moment import rfc3339
from tests.browser.conftest import Site
from webapi.assets import assets

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def call(browser: Browser, site: Site) -> Iterator[Call]:
    """Calls a function of a module of the dashboard: `call("format.percent", 0.5)`."""
    context = browser.new_context(locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    page.goto(site.url)

    def called(name: str, *arguments: Any) -> Any:
        module, function = name.split(".")
        path = assets().path(f"dashboard/{module}.js")
        return page.evaluate(
            "async ([path, name, given]) => (await import(path))[name](...given)", [path, function, list(arguments)]
        )

    yield called
    context.close()


NUMBERS = [
    ("whole", 1234567, "1,234,567"),
    ("count", 999_999, "999,999"),
    ("count", 1_234_567, "1.23 M"),
    ("count", 45_600_000, "45.6 M"),
    ("short", 9_999, "9,999"),
    ("short", 12_345, "12.3 k"),
    ("rate", 0, "0"),
    ("rate", 0.001, "< 0.01"),
    ("rate", 5.661, "5.66"),
    ("percent", 0, "0 %"),
    ("percent", 0.00001, "< 0.01 %"),
    ("percent", 0.0002, "0.02 %"),
    ("percent", 0.034, "3.4 %"),
    ("percent", 0.9994, "99.9 %"),
    ("percent", 1, "100 %"),
    ("latency", None, "\u2013"),
    ("latency", 0, "0 ms"),
    ("latency", 3.51, "3.5 ms"),
    ("latency", 971, "971 ms"),
    ("latency", 1274, "1.27 s"),
    ("latency", 125_000, "2 min 5 s"),
    ("duration", 2.2, "2 s"),
    ("duration", 250, "4 min 10 s"),
    ("duration", 12_000, "3 h 20 min"),
    ("duration", 187_200, "2 d 4 h"),
    ("axisCount", 0, "0"),
    ("axisCount", 7500, "7,500"),
    ("axisCount", 12_500, "12.5 k"),
    ("axisLatency", 2500, "2.5 s"),
    ("axisLatency", 800_000, "13.3 min"),
    ("axisLatency", 2_000_000_000, "556 h"),
    ("utc", "2025-11-25T13:03:07.25Z", "2025-11-25 13:03:07 UTC"),
    ("clock", "2025-11-25T00:03:07Z", "00:03:07"),
]


def test_numbers_and_times_are_written_as_people_read_them(call: Call) -> None:
    assert [(name, given, call(f"format.{name}", given)) for name, given, _ in NUMBERS] == NUMBERS


def test_a_stretch_says_its_years_where_they_are_two(call: Call) -> None:
    first, last = (datetime(year, 11, 29, 12, tzinfo=UTC).timestamp() * 1000 for year in (2024, 2025))
    assert call("format.span", first, last) == "29 Nov 2024 12:00 \u2013 29 Nov 2025 12:00"
    assert call("format.span", last, last + 3_600_000) == "29 Nov 12:00 \u2013 13:00"


def test_a_change_is_told_in_words_and_direction(call: Call) -> None:
    said = {
        (112, 100, "count"): ("up", "12 % more"),
        (60, 100, "count"): ("down", "40 % fewer"),
        (100, 100, "count"): ("same", "as before"),
        (0, 0, "count"): ("same", "as before"),
        (5, 0, "count"): ("up", "none before"),
        (500, 100, "count"): ("up", "5.00 times as many"),
        (4_300_000_000, 10, "latency"): ("up", "430 M times as slow"),
        (150, 100, "latency"): ("up", "50 % slower"),
        (50, 100, "latency"): ("down", "50 % faster"),
        (0.15, 0.127, "share"): ("up", "2.3 points more"),
        (0.1, 0.1, "share"): ("same", "as before"),
    }
    for given, (direction, words) in said.items():
        assert call("format.change", *given) == {"direction": direction, "words": words}, given


SEARCHES = [
    "status:404,5xx",
    "status:5xx status:503 -status:5xx",
    "-route:/health",
    "path:/api path:/v2",
    'path:"a b"',
    'path:"\\"><img"',
    "latency:>500",
    "ip:10.0.0.0/8 -method:GET",
    "route:/a,b,/c",
]


@pytest.mark.parametrize("text", SEARCHES)
def test_terms_are_written_as_they_were_read(call: Call, text: str) -> None:
    found = call("terms.parse", text)
    assert found["problem"] is None
    assert call("terms.write", found["terms"]) == text


def test_a_comma_in_a_route_parts_it_only_before_another_route(call: Call) -> None:
    (term,) = call("terms.parse", "route:/a,b,/c,other")["terms"]
    assert term["values"] == ["/a,b", "/c", "other"]


def test_what_cannot_be_read_says_at_which_character(call: Call) -> None:
    for text, character in (("status:5xx no:1", 12), ('path:"a', 6), ("status:", 8), ('a"b"', 2)):
        assert call("terms.parse", text)["problem"]["character"] == character


# What holds, what is clicked, and what holds then: as an alternative, and where it must hold as well.
MORE = [
    ("status:404 -status:500", "status:503", "status:404,503 -status:500", "status:404 -status:500 status:503"),
    ("status:404", "status:404", "status:404", "status:404"),
    ("status:200", "status:4xx,5xx", "status:200,4xx,5xx", "status:200 status:4xx,5xx"),
    ("-status:5xx", "status:4xx,5xx", "status:4xx,5xx", "-status:5xx status:4xx,5xx"),
    ("latency:<50", "latency:>=31", "latency:<50 latency:>=31", "latency:<50 latency:>=31"),
    ("latency:>20", "latency:>=31", "latency:>=31", "latency:>=31"),
    ("latency:<20", "latency:>=31", "latency:>=31", "latency:<20 latency:>=31"),
    ("latency:20..100", "latency:>=31", "latency:20..100 latency:>=31", "latency:20..100 latency:>=31"),
    ("-latency:>50", "latency:>=31", "-latency:>50 latency:>=31", "-latency:>50 latency:>=31"),
    ("-latency:20..30", "latency:>=31", "latency:>=31", "-latency:20..30 latency:>=31"),
]


@pytest.mark.parametrize(("terms", "more", "added", "narrowed"), MORE)
def test_a_click_adds_an_alternative_and_what_is_typed_or_led_to_must_hold_as_well(
    call: Call, terms: str, more: str, added: str, narrowed: str
) -> None:
    before, (term,) = (call("terms.parse", text)["terms"] for text in (terms, more))
    assert call("terms.write", call("terms.added", before, term)) == added
    assert call("terms.write", call("terms.narrowed", before, term)) == narrowed


def test_a_click_filters_and_a_second_one_takes_it_back(call: Call) -> None:
    once = call("terms.toggled", [], "route", "/cart")
    assert call("terms.has", once, "route", "/cart") is True
    assert call("terms.toggled", once, "route", "/cart") == []


def test_to_exclude_what_was_filtered_to_takes_it_from_there(call: Call) -> None:
    terms = call("terms.parse", "status:404,500")["terms"]
    excluded = call("terms.added", terms, {"field": "status", "negated": True, "values": ["404"]})
    assert call("terms.write", excluded) == "status:500 -status:404"


def test_a_term_is_turned_around(call: Call) -> None:
    for text, turned in (("status:5xx", "-status:5xx"), ("latency:>500", "latency:<=500"), ("-path:/a", "path:/a")):
        terms = call("terms.parse", text)["terms"]
        assert call("terms.write", call("terms.negated", terms, 0)) == turned


def test_a_long_path_is_filtered_to_by_its_beginning(call: Call) -> None:
    assert len(call("terms.term", "path", "/" + "\U0001f600" * 2000)["values"][0]) == 1000


ADDRESSES = [
    "",
    "?range=24h",
    "?from=2025-11-25T10%3A00%3A00.000Z&to=2025-11-25T11%3A00%3A00.000Z",
    "?q=status%3A5xx+-route%3A%2Fhealth&routes=p95&line=17&live=0&tail=1&tables=cards%2Crequests",
    "?reason=time&rule=404%2C5xx",
    "?rule=&live=0",
    "?q=status%3A5xx+no%3Asuch",
]


@pytest.mark.parametrize("search", ADDRESSES)
def test_the_address_says_the_whole_state(call: Call, search: str) -> None:
    assert call("url-state.write", call("url-state.read", search)) == search


def test_what_an_address_says_wrongly_is_as_by_default(call: Call) -> None:
    wrong = "?range=year&from=x&to=y&routes=beauty&line=-1"
    assert call("url-state.read", wrong) == call("url-state.read", "")


def test_a_search_that_is_not_understood_is_not_passed_over(call: Call) -> None:
    state = call("url-state.read", "?q=status:5xx no:such")
    assert (state["terms"], state["misread"]) == ([], "status:5xx no:such")
    assert call("questions.overview", state).endswith("&q=status%3A5xx+no%3Asuch&routes=requests&addresses=requests")


@pytest.mark.parametrize(
    ("search", "window"),
    [
        ("?from=2025-11-25T10:00:05Z&to=2025-11-25T10:00:15Z", ("2025-11-25T10:00", "2025-11-25T10:01")),
        ("?from=-200000-01-01T00:00:00Z&to=%2B200000-01-01T00:00:00Z", ("1970-01-01T00:00", "2100-01-01T00:00")),
        ("?from=%2B150000-01-01T00:00:00Z&to=%2B200000-01-01T00:00:00Z", ("2099-12-31T23:59", "2100-01-01T00:00")),
    ],
)
def test_a_window_is_of_whole_minutes_and_of_years_that_lines_have(
    call: Call, search: str, window: tuple[str, str]
) -> None:
    first, last = (f"{end.replace(':', '%3A')}%3A00.000Z" for end in window)
    assert call("url-state.write", call("url-state.read", search)) == f"?from={first}&to={last}"


def test_a_cell_that_a_spreadsheet_would_run_is_text(call: Call) -> None:
    rows = [["=1+1", "+1", "-1", "@x", "\tx"], ["a,b", 'say "x"', -5, None, 0.5]]
    assert call("csv.csv", ["a", "b", "c", "d", "e"], rows) == (
        "a,b,c,d,e\r\n'=1+1,'+1,'-1,'@x,'\tx\r\n" + '"a,b","say ""x""",-5,,0.5\r\n'
    )


def test_stacks_stand_on_one_another(call: Call) -> None:
    assert call("scale.stacked", [[1, 2], [10, 20], [None, 5]]) == [[1, 2], [11, 22], [11, 27]]


def test_a_dragged_stretch_is_whole_steps(call: Call) -> None:
    assert call("scale.wholeSteps", 130, 70, 60) == [60_000, 180_000]
    assert call("scale.wholeSteps", 60, 60, 60) == [60_000, 120_000]


def test_an_axis_ends_at_a_round_number(call: Call) -> None:
    assert [call("scale.roundTop", most) for most in (0, 0.25, 7, 10_100)] == [1, 0.25, 8, 12_000]


def test_a_small_line_stands_for_many_numbers(call: Call) -> None:
    assert call("scale.thinned", [1, 3, None, None, 5], 3) == [2, None, 5]


def test_a_small_line_is_filled_under_itself_and_not_where_nothing_was(call: Call) -> None:
    points = call("scale.polyline", [None, None, 4, 2, None], 120, 26)
    assert points == "60.0,0.0 90.0,13.0"
    assert call("scale.areaUnder", points, 28) == "60.0,28 60.0,0.0 90.0,13.0 90.0,28"
    assert call("scale.areaUnder", "", 28) == ""


def test_what_has_nothing_beside_it_is_seen_too(call: Call) -> None:
    assert call("scale.polyline", [None, 4, None], 120, 26) == "30.0,0.0 90.0,0.0"
    assert call("scale.polyline", [4, None, None], 120, 26) == "0.0,0.0 30.0,0.0"
    assert call("scale.polyline", [None, None], 120, 26) == ""
    assert call("scale.lone", [0, None, 2, 3, None, 5]) == [0, 5]
    assert call("scale.lone", [1, 2, None]) is None


def test_what_took_no_millisecond_is_not_nothing(call: Call) -> None:
    of = [{"time": f"2025-11-25T10:0{minute}:00Z", "2xx": number} for minute, number in enumerate((0, 2))]
    took = [{"time": one["time"], "max_latency": 0, "p50_latency": 0, "p95_latency": 0, "p99_latency": 0} for one in of]
    requests, latencies = ({"step_seconds": 60, "data": data} for data in (of, took))
    assert call("traffic.latencyColumns", latencies, requests)["by"]["p95"] == [None, 0]
    assert [row[1] for row in call("traffic.latencyTable", latencies, requests)["rows"]] == [None, 0]


def test_a_tail_keeps_the_newest_thousand_and_says_what_went(call: Call) -> None:
    lines = [{"id": number} for number in range(1, 1201)]
    shown = call("tail-buffer.arrived", {"shown": [], "waiting": [], "dropped": 0, "isPaused": False}, lines)
    assert (len(shown["shown"]), shown["shown"][0]["id"], shown["dropped"]) == (1000, 1200, 0)
    paused = call("tail-buffer.arrived", {**shown, "isPaused": True}, lines)
    assert (len(paused["waiting"]), paused["dropped"], paused["shown"]) == (1000, 200, shown["shown"])
    assert call("tail-buffer.resumed", paused)["shown"] == paused["waiting"]


def test_the_oldest_part_of_an_answer_says_how_fresh_it_is(call: Call) -> None:
    answer = {
        "as_of": "2025-11-25T10:00:10Z",
        "data_to": "2025-11-25T10:00:09Z",
        "summary": {"meta": {"data_to": "2025-11-25T10:00:04Z"}},
    }
    found = {"answer": answer, "at": 1_000, "problem": None}
    fresh = call("freshness.freshness", found, 3_000)
    assert fresh == {"level": "fresh", "lag": 8, "dataTo": "2025-11-25T10:00:04Z"}
    assert call("freshness.freshness", found, 61_000)["level"] == "behind"
    assert call("freshness.freshness", {**found, "problem": {"detail": "gone"}}, 3_000)["level"] == "away"


SOON, NEVER = 5, float("inf")
LAST_WEEK, TO_NOW = "2025-11-18T00:00:00Z", "2025-11-25T10:00:00Z"
# How late an answer was, how long ago it came, how often there is another, the window's end: whether that is behind.
LATE = [
    (4, 3, SOON, TO_NOW, "fresh"),
    (4, 60, SOON, TO_NOW, "behind"),
    (4, 3600, NEVER, TO_NOW, "fresh"),
    (300, 0, NEVER, TO_NOW, "behind"),
    (300, 0, NEVER, None, "behind"),
    (300, 0, NEVER, LAST_WEEK, "fresh"),
]


@pytest.mark.parametrize(("late", "gone", "pause", "end", "level"), LATE)
def test_a_pipeline_that_is_behind_is_told_also_where_nobody_asks_again(
    call: Call, late: int, gone: int, pause: float, end: str | None, level: str
) -> None:
    as_of = datetime.fromisoformat(TO_NOW)
    answer = {"as_of": TO_NOW, "data_to": rfc3339(as_of - timedelta(seconds=late))}
    found = {"answer": answer | ({"window": {"to": end}} if end else {}), "at": 0, "problem": None}
    assert call("freshness.freshness", found, gone * 1000, 2, pause)["level"] == level


def test_a_stretch_of_time_is_told_in_utc_with_no_more_of_the_day_than_is_needed(call: Call) -> None:
    begin = "2025-11-25T13:03:00Z"
    assert call("format.utcSpan", begin, "2025-11-25T13:04:00Z") == "2025-11-25 13:03:00 \u2013 13:04:00 UTC"
    assert call("format.utcSpan", begin, "2025-11-26T00:00:00Z") == (
        "2025-11-25 13:03:00 \u2013 2025-11-26 00:00:00 UTC"
    )
