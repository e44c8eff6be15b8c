"""The charts: what a step says, zoom by mouse and keyboard, tables and files in place of pictures."""

from __future__ import annotations

import csv
import io
import json
import re
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched

REQUESTS = "Requests by class of status"


def window(page: Page) -> tuple[str, str]:
    """The chosen window, as the address has it."""
    said = parse_qs(urlsplit(page.url).query)
    return said["from"][0], said["to"][0]


def test_a_drag_zooms_to_whole_steps_and_back_zooms_out(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h")
    over = page.locator(".plot .u-over").first
    box = over.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("from="))
    assert all(re.search(r":[0-5][05]:00\.000Z$", moment) for moment in window(page))
    expect(page.get_by_role("button", name="Live", exact=True)).to_be_disabled()
    page.go_back()
    expect(page.get_by_role("link", name="Last 24 hours")).to_have_attribute("aria-current", "true")


def test_a_time_at_the_very_end_of_a_chart_has_room(page: Page) -> None:
    room, half = page.locator(".plot").first.evaluate(
        """plot => {
            const canvas = plot.querySelector("canvas"), pen = canvas.getContext("2d");
            pen.font = `12px ${getComputedStyle(plot).fontFamily}`;
            const [drawn, all] = [plot.querySelector(".u-over"), canvas].map(one => one.getBoundingClientRect());
            const widths = ["23:59", "30 Sept"].map(text => pen.measureText(text).width);
            return [all.right - drawn.right, Math.max(...widths) / 2];
        }"""
    )
    assert room >= half > 10


def test_arrow_keys_tell_each_step_and_enter_zooms_into_it(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h")
    chart = page.get_by_role("slider", name=re.compile(REQUESTS))
    chart.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(chart).to_have_attribute("aria-valuenow", "1")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"\d+ \w+ \d\d:\d\d . \d\d:\d\d: all \d+, 2xx"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("from="))


def test_a_chart_is_a_table_on_demand_and_the_address_says_so(page: Page, site: Site) -> None:
    page.get_by_role("button", name=re.compile("^Show Requests per")).click()
    expect(page).to_have_url(re.compile("tables=requests"))
    table = page.get_by_role("region", name=re.compile("^Requests per .* as table"))
    rows = table.locator("tbody tr")
    expect(rows.first).to_be_visible()  # a module of its own draws it, which comes when it is first wanted
    shown = sum(int(text.replace(",", "")) for text in rows.locator("td:last-child").all_inner_texts())
    with urlopen(f"{site.url}/stats/series?metric=requests&range=hour&scope=all", timeout=10) as answer:
        points = json.load(answer)["data"]
    assert shown == sum(point["requests"] for point in points)


def test_every_panel_gives_its_numbers_as_csv(page: Page) -> None:
    for name in ("Figures", "Latency", "Routes", "Addresses", "Statuses", "Methods"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"{name} as CSV").click()
        path = download.value.path()
        rows = list(csv.reader(io.StringIO(path.read_text())))
        assert len(rows) > 1, name
        assert len({len(row) for row in rows}) == 1, name


def test_a_hostile_key_is_no_formula_and_no_markup(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?q=path:script")
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator(".cell-path", has_text="<script>alert(1)</script>")).to_be_visible()
    assert page.evaluate("document.querySelectorAll('#dashboard script, #dashboard img').length") == 0
