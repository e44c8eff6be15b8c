"""Each field that can be filtered by: by click, by keyboard, by address; its chip turned around and removed."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.seeded import WORST_ADDRESS
from tests.browser.shown import holds
from tests.browser.watched import Watched

PATH = "/products/22"


def ranked(key: str) -> Callable[[Page, Site], None]:
    """A click on a name of a ranking."""
    return lambda page, _: page.locator(f'.key-link[title="{key}"]').click()


def classed(page: Page, _: Site) -> None:
    """A click on a class below the heading of the chart."""
    page.get_by_role("list", name="Classes of status").get_by_role("link", name=re.compile("^5xx")).click()


def opened(page: Page, site: Site) -> None:
    """A click on a field of a line."""
    kept = [line for line in site.lines if line.kept]
    number = next(number for number, line in enumerate(kept, 1) if line.path == PATH)
    page.goto(f"{page.url}&line={number}")
    page.get_by_role("link", name="Path: filter to").click()


def figured(page: Page, _: Site) -> None:
    """A click on a figure."""
    page.locator(".card-link", has_text="p95").click()


# How each is written, as far as that is known before, and what is clicked.
CLICKS: dict[str, Callable[[Page, Site], None]] = {
    "status:503": ranked("503"),
    "status:5xx": classed,
    "method:POST": ranked("POST"),
    "route:/cart": ranked("/cart"),
    f"path:{PATH}": opened,
    f"ip:{WORST_ADDRESS}": ranked(WORST_ADDRESS),
    "latency:>=": figured,
}


@pytest.mark.parametrize("written", CLICKS)
def test_each_filter_leaves_the_same_lines_by_click_by_keyboard_and_by_address(
    watched: Watched, site: Site, written: str
) -> None:
    address = f"{site.url}/?range=24h"
    page = watched.open(address)
    expect(page.locator(".ranking tbody .key").first).to_be_visible()
    kept = [line for line in site.lines if line.kept]

    CLICKS[written](page, site)
    expect(page).to_have_url(re.compile("[?&]q="))
    (search,) = parse_qs(urlsplit(page.url).query)["q"]
    assert search.startswith(written)
    found = sum(holds(line, *search.split(":", 1)) for line in kept)
    assert 0 < found < len(kept)
    lines_are(page, found)

    page.get_by_role("button", name=re.compile("; turn around$")).click()
    lines_are(page, len(kept) - found)
    page.get_by_role("button", name=re.compile("^Remove: ")).click()
    lines_are(page, len(kept))
    assert page.url == address

    page.keyboard.press("/")
    page.keyboard.type(search)
    page.keyboard.press("Enter")
    lines_are(page, found)

    lines_are(watched.open(f"{address}&{urlencode({'q': search})}"), found)


def lines_are(page: Page, number: int) -> None:
    """Waits until the list is of so many lines."""
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator("#lines .note")).to_have_text(re.compile(f"^{number:,} stored"))
