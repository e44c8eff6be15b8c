"""The lines: pages of them, one of them, and as they come."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.seeded import HOSTILE
from tests.browser.watched import Watched


def lines(page: Page) -> int:
    """How many lines the list shows."""
    return page.locator(".lines .line:not(.line-head)").count()


def test_older_lines_come_when_asked_for_until_there_are_no_more(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h&q=status:404")
    expected = sum(line.kept and line.status == 404 for line in site.lines)
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator("#lines .note")).to_have_text(re.compile(f"^{expected:,} stored"))
    while (button := page.get_by_role("button", name="Older lines")).count():
        before = lines(page)
        button.click()
        expect(page.locator(".lines .line")).not_to_have_count(before + 1)
    assert lines(page) == expected


def test_a_line_opens_with_every_field_and_escape_brings_the_focus_back(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h")
    page.locator("#lines").scroll_into_view_if_needed()
    opened = page.locator(".line-link").nth(2)
    opened.click()
    drawer = page.get_by_role("dialog", name=re.compile("^Line"))
    expect(drawer).to_be_visible()
    expect(drawer.locator("dt")).to_have_text(["Status", "Time", "Method", "Path", "Route", "Address", "Latency"])
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(opened).to_be_focused()


@pytest.mark.parametrize("key", ["Escape", "Close"])
def test_a_line_that_is_closed_leaves_the_way_back_as_it_was(watched: Watched, site: Site, key: str) -> None:
    page = watched.open(site.url)
    page.get_by_role("link", name="Last 24 hours").click()
    page.locator("#lines").scroll_into_view_if_needed()
    page.locator(".line-link").nth(2).click()
    page.get_by_role("button", name="Older line", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    if key == "Close":
        page.get_by_role("button", name="Close", exact=True).click()
    else:
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?range=24h$"))
    page.go_back()
    expect(page.get_by_role("link", name="Last hour")).to_have_attribute("aria-current", "true")


def test_a_field_of_a_line_is_filtered_to_and_excluded(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h&line=1")
    drawer = page.get_by_role("dialog", name="Line 1")
    method = drawer.locator(".field", has_text="Method").locator(".field-value").inner_text()
    drawer.get_by_role("link", name="Method: exclude").click()
    expect(page).to_have_url(re.compile(f"q=-method%3A{method}$"))
    expect(drawer).to_have_count(0)


def test_a_line_is_copied_as_json(watched: Watched, site: Site) -> None:
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open(f"{site.url}/?line=1")
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied["id"] == 1
    assert set(copied) >= {"Timestamp", "IP", "Method", "Path", "Status", "LatencyMs"}


def test_hostile_paths_are_text_in_list_and_drawer(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?q=ip:198.51.100.9")
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator(".cell-path bdi")).to_have_count(len(HOSTILE))
    assert set(page.locator(".cell-path bdi").all_text_contents()) == set(HOSTILE)
    for number in range(len(HOSTILE)):
        page.locator(".line-link").nth(number).click()
        expect(page.get_by_role("dialog").locator("dd bdi").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("Escape")


def test_a_tail_says_that_it_is_not_of_a_window_that_was_chosen(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?from=2025-11-25T10:00:00Z&to=2025-11-25T11:00:00Z&tail=1")
    expect(page.locator("#lines .note")).to_contain_text("of now, not of the window above")
    page.get_by_role("link", name="Last hour").click()
    expect(page.locator("#lines .note")).to_have_text("0 shown")


def test_without_a_stored_line_it_says_why(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?q=status:200")
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator("#lines .nothing")).to_contain_text("Status 200 is counted above, and not stored.")
