"""Every number that a panel shows is the API's number, and a recount's."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from pipeline.moment import rfc3339
from tests.browser.conftest import Site
from tests.browser.watched import Watched
from tests.stores import Seen, floor

Row = dict[str, Any]

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
FIGURES = ("requests", "requests_per_second", "error_rate", *(f"p{n}_latency" for n in (50, 95, 99)), "unique_ips")
COLUMNS = ("requests", "share", "errors", "error_rate", "p95_latency")
RANKINGS: dict[str, tuple[str, Callable[[Seen], str]]] = {
    "Routes": ("route", lambda line: line.route),
    "Statuses": ("status", lambda line: str(line.status)),
    "Methods": ("method", lambda line: line.method),
    "Addresses": ("ip", lambda line: line.ip),
}


class Shown:
    """The page over a window that does not move, and the API beside it."""

    def __init__(self, watched: Watched, site: Site) -> None:
        """The window is of whole five minutes, of which the rollups know everything."""
        now = datetime.now(UTC)
        self.start = floor(now - timedelta(hours=19), 300)
        self.end = floor(now - timedelta(minutes=1), 300) - timedelta(milliseconds=1)
        self.site = site
        self.page = watched.open(f"{site.url}/?{urlencode(self._window())}")
        self.lines = [line for line in site.lines if self.start <= line.at <= self.end]

    def ask(self, path: str, **parameters: str) -> Any:
        """What the API says of the same window."""
        query = urlencode({**self._window(), **parameters})
        with urlopen(f"{self.site.url}{path}?{query}", timeout=10) as answer:
            return json.load(answer)

    def table(self, panel: str) -> list[Row]:
        """A panel's numbers as it shows them as a table: rows by the names of their columns."""
        button = self.page.get_by_role("button", name=re.compile(f"^Show {panel}.* as table$"))
        button.click()
        shown = self.page.get_by_role("region", name=re.compile(f"^{panel}.* as table$"))
        expect(shown).to_be_visible()
        texts = shown.locator("tr").evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
        button.click()
        return [dict(zip(texts[0], map(number, row), strict=True)) for row in texts[1:]]

    def _window(self) -> dict[str, str]:
        return {"from": rfc3339(self.start), "to": rfc3339(self.end)}


def number(text: str) -> Any:
    """A cell's number, None for a dash, and text as it is."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None if text == "\u2013" else text


def near(value: float | None) -> Any:
    """A number as a table rounds it."""
    return None if value is None else pytest.approx(value, abs=5.1e-5)


@pytest.fixture
def shown(watched: Watched, site: Site) -> Shown:
    """The page."""
    return Shown(watched, site)


def test_the_figures_are_the_apis_and_a_recounts(shown: Shown) -> None:
    data = shown.ask("/stats", type="summary", scope="all")["data"]
    assert shown.table("Figures") == [
        {"figure": name, "now": near(data[name]), "before": near(data["previous"][name])} for name in FIGURES
    ]

    errors = sum(line.status >= 400 for line in shown.lines)
    assert (data["requests"], data["errors"]) == (len(shown.lines), errors)
    assert data["unique_ips"] == pytest.approx(len({line.ip for line in shown.lines}), abs=1)
    ranked = sorted(line.latency_ms for line in shown.lines)
    for hundredths in (50, 95, 99):
        rank = ranked[-(-hundredths * len(ranked) // 100) - 1]
        assert data[f"p{hundredths}_latency"] == pytest.approx(rank, rel=0.0101)


def test_what_stands_on_a_card_is_its_figure(shown: Shown) -> None:
    requests, errors = len(shown.lines), sum(line.status >= 400 for line in shown.lines)
    for name, written in {"Requests": f"{requests:,}", "Errors": f"{errors / requests:.1%}".replace("%", " %")}.items():
        card = shown.page.locator(".card", has_text=name).locator(".card-value")
        expect(card).to_have_text(written)


def test_each_point_of_the_charts_is_the_apis_and_a_recounts(shown: Shown) -> None:
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
        told = {f"p{n} ms": near(point[f"p{n}_latency"]) for n in (50, 95, 99)}
        nothing = dict.fromkeys(told) if not point["max_latency"] else told
        assert {name: row[name] for name in told} in (told, nothing)


@pytest.mark.parametrize("panel", RANKINGS)
def test_each_row_of_a_ranking_is_the_apis_and_a_recounts(shown: Shown, panel: str) -> None:
    by, key_of = RANKINGS[panel]
    top = shown.ask("/stats/top", by=by, scope="all")
    assert [list(row.values()) for row in shown.table(panel)] == [
        [number(one["key"]), *(near(one[name]) for name in COLUMNS)] for one in top["data"]
    ]
    lines = [line for line in shown.lines if line.kept or by != "ip"]
    every = Counter(map(key_of, lines))
    errors = Counter(key_of(line) for line in lines if line.status >= 400)
    assert {one["key"]: (one["requests"], one["errors"]) for one in top["data"]}.items() <= {
        key: (requests, errors[key]) for key, requests in every.items()
    }.items()
    assert sum(one["requests"] for one in top["data"]) + top["other"]["requests"] == len(lines)


def test_each_line_of_the_list_is_the_apis(shown: Shown) -> None:
    page = shown.page
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator(".line-link").first).to_be_visible()
    answer = shown.ask("/logs")
    assert answer["meta"]["total"] == sum(line.kept for line in shown.lines)
    expect(page.locator("#lines .note")).to_have_text(f"{answer['meta']['total']:,} stored")
    assert seen(page) == [
        (str(line["id"]), line["Timestamp"], str(line["Status"]), line["Method"], line["Path"], line["IP"])
        for line in answer["data"]
    ]


def seen(page: Page) -> list[tuple[str, ...]]:
    """The lines of the list: id, time, status, method, path, address."""
    told = """rows => rows.map(row => [
        row.querySelector("[data-line]").dataset.line,
        row.querySelector("time").dateTime,
        ...["status", "method", "path", "address"].map(name => row.querySelector(`.cell-${name}`).textContent),
    ])"""
    return [tuple(row) for row in page.locator(".lines .line:not(.line-head)").evaluate_all(told)]
