"""`tally stats`: tables, bar charts and the busiest, of a web API that says what the contract has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli import stats
from cli.ask import WebApi
from tests.cli.web import Asked, Reply, run, scripted, terminal

META: dict[str, Any] = {
    "range": "hour",
    "window": {"from": "2026-11-23T19:57:00Z", "to": "2026-11-23T20:57:00Z"},
    "scope": "stored",
    "data_to": "2026-11-23T20:56:58Z",
    "lag_seconds": 2.0,
    "coverage": {"source": "rollups", "lines": "stored", "complete": True},
    "estimated": {"p95_latency": 0.005},
}
SUMMARY: dict[str, Any] = {
    "requests": 12_000,
    "requests_per_second": 3.3333,
    "error_rate": 0.025,
    "avg_latency": 112.25,
    "p95_latency": 300,
    "unique_ips": 1,
    "by_class": {"2xx": 11_700, "5xx": 300},
}
BEFORE = SUMMARY | {"requests": 10_000, "unique_ips": 0, "by_class": {"2xx": 11_700, "5xx": 600}}
CLASSES = ("2xx", "3xx", "4xx", "5xx")


def answer(asked: Asked) -> Reply:
    """What the contract says."""
    query = asked.query
    if asked.page == "/stats/series":
        points: dict[str, list[dict[str, Any]]] = {
            "requests": [{"requests": 0}, {"requests": 4}, {"requests": 1000}],
            "class": [dict(zip(CLASSES, counts, strict=True)) for counts in ((0, 0, 0, 0), (2, 1, 1, 0), (4, 0, 0, 4))],
            "latency": [
                {"avg_latency": value, "max_latency": value, "p95_latency": value} for value in (None, 10, 40.5)
            ],
        }
        times = [{"time": f"2026-11-23T20:0{minute}:00Z"} for minute in range(3)]
        data = [time | point for time, point in zip(times, points[query.get("by") or query["metric"]], strict=True)]
        return Reply({"metric": query["metric"], "step_seconds": 60, "data": data, "meta": META})
    if asked.page == "/stats/top":
        top = {"key": "/[red]x\u202e", "requests": 30, "errors": 3, "error_rate": 0.1, "p95_latency": 5, "share": 0.6}
        other = {"requests": 20, "errors": 1, "share": 0.4}
        return Reply({"by": query["by"], "sort": "requests", "data": [top], "other": other, "meta": META})
    data = {
        "summary": SUMMARY | {"previous": BEFORE},
        "errors": {"500": 80, "404": 20},
        "latency": {"avg_latency": 112.25, "max_latency": 2385, "p95_latency": 301.5},
        "traffic": {"total_request": 3, "unique_ips": 2},
    }
    return Reply({"type": query["type"], "data": data[query["type"]], "meta": META})


def rows(*arguments: str) -> list[list[str]]:
    """What goes into a pipe."""
    with scripted(answer) as web:
        ended = run("stats", *arguments, "--url", web.url)
    assert ended.exit_code == 0, ended.stderr
    return [line.split("\t") for line in ended.stdout.splitlines()]


def test_options_become_parameters() -> None:
    times = ("--from", "2026-11-23T19:00:00Z", "--to", "2026-11-23T20:00:00Z")
    filters = ("--scope", "all", "--status", "5xx", "--method", "GET", "--route", "/a/{id}")
    with scripted(answer) as web:
        assert run("stats", "--url", web.url).exit_code == 0
        assert run("stats", "errors", *times, *filters, "--url", web.url).exit_code == 0
        asked = ("--series", "requests", "--step", "5m", "--by", "class", "--range", "day")
        assert run("stats", *asked, "--url", web.url).exit_code == 0
        assert run("stats", "--top", "ip", "--sort", "p95", "--limit", "3", "--url", web.url).exit_code == 0
    assert [(one.page, one.query) for one in web.asked] == [
        ("/stats", {"type": "summary"}),
        (
            "/stats",
            {"type": "errors", "from": times[1], "to": times[3], "scope": "all", "status": "5xx", "method": "GET"}
            | {"route": "/a/{id}"},
        ),
        ("/stats/series", {"metric": "requests", "step": "5m", "by": "class", "range": "day"}),
        ("/stats/top", {"by": "ip", "sort": "p95", "limit": "3"}),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["errors", "--top", "ip"],
        ["--series", "errors", "--top", "ip"],
        ["--step", "60"],
        ["errors", "--by", "class"],
        ["--series", "errors", "--limit", "3"],
        ["busiest"],
        ["--range", "year"],
    ],
)
def test_options_that_do_not_go_together_end_with_2(arguments: list[str]) -> None:
    ended = run("stats", *arguments, "--url", "http://127.0.0.1:1")
    assert (ended.exit_code, ended.stdout) == (2, "")


@pytest.mark.parametrize("question", [["errors"], ["--series", "latency"], ["--top", "path"]])
def test_json_is_what_the_web_api_says(question: list[str]) -> None:
    with scripted(answer) as web:
        ended = run("stats", *question, "--json", "--url", web.url)
    assert json.loads(ended.stdout) == answer(web.asked[0]).content
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""
    assert ended.stdout.rstrip("\n").isprintable()


def test_what_goes_into_a_pipe_is_exact_and_has_no_bars() -> None:
    assert rows("latency") == [
        ["latency", "value", "estimated"],
        ["avg_latency", "112.25", ""],
        ["max_latency", "2385", ""],
        ["p95_latency", "301.5", "0.005"],
    ]
    assert rows("errors") == [["status", "requests"], ["404", "20"], ["500", "80"]]
    assert rows("traffic")[1:] == [["total_request", "3", ""], ["unique_ips", "2", ""]]
    assert rows("--series", "latency")[1:3] == [
        ["2026-11-23T20:00:00Z", "", "", ""],
        ["2026-11-23T20:01:00Z", "10", "10", "10"],
    ]
    assert rows("--top", "path") == [
        ["requests", "share", "errors", "error_rate", "p95_latency", "path"],
        ["30", "0.6", "3", "0.1", "5", "/[red]x\\u202e"],
        ["20", "0.4", "1", "", "", "(all others)"],
    ]
    found = {name: rest for name, *rest in rows("summary")}
    assert found["requests"] == ["12000", "10000", "0.2000", ""]
    assert found["error_rate"] == ["0.025", "0.025", "0.0000", ""]
    assert found["unique_ips"] == ["1", "0", "", ""]
    assert found["5xx"] == ["300", "600", "-0.5000", ""]


def seen(show: Any, colour: bool = False, width: int = 44, **query: str) -> list[str]:
    """What stands on a terminal."""
    screen = terminal(width, colour)
    with scripted(answer) as web:
        assert show(WebApi(web.url), query, False, screen.paper) == 0
    return screen.lines


def test_a_terminal_has_units_and_the_change_in_shape_not_colour_alone() -> None:
    lines = seen(stats.one, width=80, type="summary")
    assert lines[2].split() == ["requests", "12,000", "10,000", "▲", "20.0%"]
    assert lines[4].split() == ["error_rate", "2.5%", "2.5%", "=", "0.0%"]
    assert lines[6].split() == ["p95_latency", "300", "ms", "300", "ms", "=", "0.0%", "±", "0.50%"]
    assert lines[7].split() == ["unique_ips", "1", "0", "-"]
    assert lines[9].split() == ["5xx", "300", "600", "▼", "50.0%"]


def test_a_series_is_a_bar_chart_as_wide_as_the_terminal() -> None:
    assert seen(stats.series, metric="requests") == [
        "time (UTC)                          requests",
        "─" * 44,
        "20:00                                      0",
        "20:01       ▏                              4",
        f"20:02       {'█' * 22}     1,000",
    ]


def test_the_bars_of_classes_are_stacked_in_their_colours() -> None:
    lines = seen(stats.series, colour=True, metric="requests", by="class")
    bar = lines[4].partition("20:02")[2]
    green, red = bar.index("\x1b[32m█"), bar.index("\x1b[31m█")
    assert green < red
    assert bar[green:red].count("█") == bar[red:].count("█") > 0


def test_a_bar_of_latencies_is_their_p95_and_none_where_there_are_none() -> None:
    lines = seen(stats.series, width=70, metric="latency")
    assert "█" not in lines[2]
    assert lines[2].split() == ["20:00", "-", "-", "-"]
    assert lines[3].count("█") < lines[4].count("█")
    assert lines[4].endswith("40.5 ms")


def test_markup_in_a_path_is_a_path() -> None:
    lines = seen(stats.top, by="path", width=100)
    assert lines[2].endswith("  /[red]x\\u202e")
    assert lines[-1].endswith("(all others)")


def test_a_long_path_is_folded_and_no_number_is() -> None:
    long = {"by": "path", "data": [{"key": "/" + "x" * 99, "requests": 123_456_789, "errors": 0}], "meta": {}}
    screen = terminal(40)
    with scripted(lambda _: Reply(long)) as web:
        assert stats.top(WebApi(web.url), {"by": "path"}, False, screen.paper) == 0
    assert "123,456,789" in screen.text
    assert [line.count("x") for line in screen.lines[2:]] == [23, 24, 24, 24, 4]


def test_what_it_is_about_is_said_beside_it() -> None:
    with scripted(answer) as web:
        ended = run("stats", "--url", web.url)
    assert ended.stderr == (
        "2026-11-23T19:57:00Z to 2026-11-23T20:57:00Z (UTC), stored lines only, no discarded ones,"
        " data to 2026-11-23T20:56:58Z, 2.0 s behind\n"
    )
    with scripted(lambda _: Reply({"type": "errors", "data": {}, "meta": META | {"scope": "all"}})) as web:
        assert "all traffic, discarded lines too" in run("stats", "errors", "--url", web.url).stderr
    partial = META | {"coverage": {"complete": False, "share": 0.4}}
    with scripted(lambda _: Reply({"type": "errors", "data": {}, "meta": partial})) as web:
        assert "INCOMPLETE: only 40% of it" in run("stats", "errors", "--url", web.url).stderr
