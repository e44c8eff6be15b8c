"""Every number that a panel shows is the API's number, and a recount's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from pipeline.moment import rfc3339
from tests.browser import written
from tests.browser.conftest import Site
from tests.browser.shown import Row, Shown, counted, near, number
from tests.browser.watched import Watched
from tests.stores import Seen, agree, recount

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
FIGURES = ("requests", "requests_per_second", "error_rate", *(f"p{n}_latency" for n in (50, 95, 99)), "unique_ips")
LATENCIES = {f"{name}_latency": f"{name} ms" for name in ("p50", "p90", "p95", "p99", "avg", "max")}
COLUMNS = ("requests", "share", "errors", "error_rate", "p95_latency")
RANKINGS: dict[str, tuple[str, Callable[[Seen], str]]] = {
    "Routes": ("route", lambda line: line.route),
    "Statuses": ("status", lambda line: str(line.status)),
    "Methods": ("method", lambda line: line.method),
    "Addresses": ("ip", lambda line: line.ip),
}
# Of the first the rollups know most, of the second there are only rows.
FILTERS = ({"route": "/checkout"}, {"status": "4xx,5xx", "method": "GET"})


@pytest.fixture
def shown(watched: Watched, site: Site) -> Shown:
    """The page."""
    return Shown(watched, site)


def test_the_figures_are_the_apis_and_a_recounts(shown: Shown) -> None:
    figures_agree(shown)


def test_each_point_of_the_charts_is_the_apis_and_a_recounts(shown: Shown) -> None:
    points_agree(shown)


def test_each_row_of_a_ranking_is_the_apis_and_a_recounts(shown: Shown) -> None:
    for panel in RANKINGS:
        ranking_agrees(shown, panel)


@pytest.mark.parametrize("filters", FILTERS, ids=" ".join)
def test_with_filters_every_panel_is_the_apis_and_a_recounts(
    watched: Watched, site: Site, filters: dict[str, str]
) -> None:
    shown = Shown(watched, site, filters)
    assert 0 < len(shown.lines) < len(site.lines)
    figures_agree(shown)
    points_agree(shown)
    for panel in RANKINGS:
        ranking_agrees(shown, panel)
    lines_agree(shown)


def test_each_line_of_the_list_is_the_apis_and_one_that_there_is(shown: Shown) -> None:
    lines_agree(shown)


def figures_agree(shown: Shown) -> None:
    """Each figure, and that of the window before."""
    answer = shown.ask("/stats", type="summary", scope="all")
    data, meta = answer["data"], answer["meta"]
    assert shown.table("Figures") == [
        {"figure": name, "now": near(data[name]), "before": near(data["previous"][name])} for name in FIGURES
    ]
    summary_agrees(data.pop("previous"), meta["previous"], shown)
    summary_agrees(data, meta, shown)


def summary_agrees(data: Row, meta: Row, shown: Shown) -> None:
    """The figures of a window."""
    start, end = (datetime.fromisoformat(meta["window"][name]) for name in ("from", "to"))
    found = recount(counted(shown.every, meta["coverage"]), "summary", start, end, "all")
    visitors = recount(counted(shown.every, meta["visitors_coverage"]), "summary", start, end, "all")["unique_ips"]
    agree(data, found | {"unique_ips": visitors}, visitors_known=False)
    assert found["requests"] > 0


def points_agree(shown: Shown) -> None:
    """Each step of both charts."""
    series = shown.ask("/stats/series", metric="requests", by="class", scope="all")
    step = timedelta(seconds=series["step_seconds"])
    for row, point in zip(shown.table("Requests per"), series["data"], strict=True):
        at = datetime.fromisoformat(point["time"])
        found = Counter(f"{line.status // 100}xx" for line in shown.lines if at <= line.at < at + step)
        assert {name: point[name] for name in CLASSES} == {name: found[name] for name in CLASSES}
        # (A class of which there is nothing at all has no column.)
        told = {name: row.get(name, 0) for name in CLASSES}
        assert {"from (UTC)": point["time"], **point, "requests": found.total()} == {
            **row,
            "time": row["from (UTC)"],
            **told,
        }

    latencies = shown.ask("/stats/series", metric="latency", scope="all")["data"]
    for row, point in zip(shown.table("Latency"), latencies, strict=True):
        at = datetime.fromisoformat(point["time"])
        found = recount(shown.lines, "latency", at, at + step - timedelta(milliseconds=1), "all")
        agree({name: point[name] for name in found}, found)
        told = {name: near(point[key]) if point["max_latency"] else None for key, name in LATENCIES.items()}
        assert row == {"from (UTC)": point["time"], **told}


def ranking_agrees(shown: Shown, panel: str) -> None:
    """Each place of a ranking, and what the rest come to."""
    by, key_of = RANKINGS[panel]
    top = shown.ask("/stats/top", by=by, scope="all")
    rest = [top["other"] | {"key": f"{top['other']['keys']} more"}] if top["other"]["keys"] else []
    table = [list(row.values()) for row in shown.table(panel)]
    assert table == [[number(one["key"]), *(near(one[name]) for name in COLUMNS)] for one in (*top["data"], *rest)]
    lines = counted(shown.lines, top["meta"]["coverage"])
    every = Counter(map(key_of, lines))
    errors = Counter(key_of(line) for line in lines if line.status >= 400)
    assert {one["key"]: (one["requests"], one["errors"]) for one in top["data"]}.items() <= {
        key: (requests, errors[key]) for key, requests in every.items()
    }.items()
    assert sum(one["requests"] for one in top["data"]) + top["other"]["requests"] == len(lines)
    assert sum(row[1] for row in table) == len(lines)
    for one in top["data"]:
        ranked = sorted(line.latency_ms for line in lines if key_of(line) == one["key"])
        assert one["p95_latency"] == pytest.approx(ranked[-(-95 * len(ranked) // 100) - 1], rel=0.0101)


def lines_agree(shown: Shown) -> None:
    """Each line of the first page of the list, of which that comes first which was stored last; and the total."""
    page = shown.page
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator(".line-link").first).to_be_visible()
    answer = shown.ask("/logs")
    expect(page.locator("#lines .note")).to_have_text(re.compile(f"^{answer['meta']['total']:,} stored"))
    newest = [line for line in reversed(shown.lines) if line.kept]
    assert answer["meta"]["total"] == len(newest)
    rows = seen(page)
    assert [id for id, *_ in rows] == [str(line["id"]) for line in answer["data"]]
    assert [tuple(cells) for _, *cells in rows] == [
        (rfc3339(at), str(status), method, path, ip, written.latency(milliseconds))
        for at, ip, method, path, status, milliseconds, *_ in newest[: len(answer["data"])]
    ]


def seen(page: Page) -> list[list[str]]:
    """The lines of the list: id, time, status, method, path, address, latency."""
    told = """rows => rows.map(row => [
        row.querySelector("[data-line]").dataset.line,
        row.querySelector("time").dateTime,
        ...["status", "method", "path", "address", "latency"]
            .map(name => row.querySelector(`.cell-${name}`).textContent),
    ])"""
    return page.locator(".lines .line:not(.line-head)").evaluate_all(told)
