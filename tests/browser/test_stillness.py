"""Lists that move on stand still while somebody is at them, and say so."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched, settle

STILL = re.compile("; stands still while you are at it$")


@pytest.fixture(params=["lines", "letters"])
def part(request: pytest.FixtureRequest, watched: Watched, site: Site) -> Locator:
    """A list in sight, on a page whose clock is the test's."""
    page = watched.context.new_page()
    page.clock.install()
    page.goto(site.url + {"lines": "/", "letters": "/pipeline"}[request.param])
    found = page.locator(f"#{request.param}")
    found.scroll_into_view_if_needed()
    expect(found.locator(".line-link, .letter").first).to_be_visible()
    return found


def looks(watched: Watched, page: Page, path: str) -> int:
    """How often a path is asked for in a minute."""
    settle(page)
    watched.requests.clear()
    page.clock.run_for(60_000)
    return sum(path in one.url for one in watched.requests)


def test_a_list_stands_still_while_it_is_pointed_at_or_focused_and_says_so(watched: Watched, part: Locator) -> None:
    page, note = part.page, part.locator(".note")
    path = "/dead-letters" if part.get_attribute("id") == "letters" else "/logs"
    expect(note).not_to_have_text(STILL)
    part.locator(".line-link, .letter .tool-button").first.focus()
    expect(note).to_have_text(STILL)
    assert looks(watched, page, path) == 0
    page.evaluate("document.activeElement.blur()")
    expect(note).not_to_have_text(STILL)
    assert looks(watched, page, path) > 0
    part.locator(".line, .letter").nth(1).hover()
    expect(note).to_have_text(STILL)
    assert looks(watched, page, path) == 0
    page.mouse.move(1, 1)
    expect(note).not_to_have_text(STILL)


def test_older_lines_and_an_open_line_say_that_the_list_stands_still(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h")
    note = page.locator("#lines .note")
    page.locator("#lines").scroll_into_view_if_needed()
    page.locator(".line-link").first.click()
    expect(note).to_contain_text("stored; stands still while one is open")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Older lines").click()
    expect(note).to_contain_text("stored; stands still with older ones below")


def test_what_does_not_move_says_nothing_of_standing_still(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h&live=0")
    page.locator("#lines").scroll_into_view_if_needed()
    page.locator(".line-link").first.hover()
    expect(page.locator("#lines .note")).to_have_text(re.compile("^[0-9,]+ stored$"))
