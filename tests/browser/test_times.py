"""Times are told in the viewer's zone, and in UTC to who points at them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.browser.test_hidden import chosen

EAST = timedelta(hours=5, minutes=30)
UTC_SPAN = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \u2013 (?:\d{4}-\d\d-\d\d )?(\d\d:\d\d:\d\d) UTC$")
CLOCK = re.compile(r"\d\d:\d\d(?::\d\d)?")


@pytest.fixture
def abroad(browser: Browser, site: Site) -> Iterator[Page]:
    """The page over a chosen window, far east of Greenwich."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Asia/Kolkata")
    page = context.new_page()
    page.goto(f"{site.url}/?{chosen()}")
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")
    yield page
    context.close()


def begins(local: str, told: str) -> bool:
    """Whether what is told in UTC begins when what is told here does."""
    found, clock = UTC_SPAN.search(told), CLOCK.search(local)
    assert found and clock, (local, told)
    here = datetime.fromisoformat(found[1]) + EAST
    return here.isoformat(" ")[11:].startswith(clock[0])


def test_a_chosen_window_says_its_utc(abroad: Page) -> None:
    window = abroad.locator(".custom summary")
    title = window.get_attribute("title") or ""
    assert begins(window.inner_text(), title)
    (asked,) = parse_qs(abroad.url.split("?")[1])["from"]
    assert title.startswith(asked[:16].replace("T", " ") + ":00")  # a window is of whole minutes


def test_the_window_before_says_its_utc(abroad: Page) -> None:
    before = abroad.locator(".cards-panel .note [title]").first.get_attribute("title") or ""
    local, told = before.split("; ")
    assert begins(local, told)


def test_a_step_of_a_chart_says_its_utc(abroad: Page) -> None:
    abroad.locator(".plot .u-over").first.hover()
    step = abroad.locator(".tip-time").first
    expect(step).to_be_visible()
    local, told = step.inner_text().split("\n")
    assert begins(local, told)
