"""No page is wider than its window, whatever a path, an address of the page, or a letter may say."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.seeded import HOSTILE
from tests.browser.watched import Watched

WIDTHS = (360, 768, 2560)
# What is too wide: how far the page goes beyond its window, and the elements that do.
BEYOND = """() => {
    const page = document.scrollingElement;
    const isWide = one => one.getBoundingClientRect().right > page.clientWidth + 1;
    const names = [...document.querySelectorAll("#dashboard *")].filter(isWide).map(one => one.className);
    return page.scrollWidth <= page.clientWidth ? [] : [page.scrollWidth - page.clientWidth, ...names.slice(0, 9)];
}"""
TABLES = "cards,requests,latency,routes,addresses,statuses,methods"


@pytest.mark.parametrize(
    "address",
    [
        {"range": "24h"},
        {"range": "24h", "q": "ip:198.51.100.9"},
        {"range": "24h", "q": "ip:198.51.100.9", "tables": TABLES},
        {"range": "24h", "q": " ".join(f'path:"{path[:200]}"'.replace('/"><', '/\\"><') for path in HOSTILE)},
        {"range": "24h", "q": f"path:{HOSTILE[-1][:1000]}"},
    ],
    ids=["all", "hostile", "tables", "chips", "long chip"],
)
def test_the_first_page_is_as_wide_as_its_window(watched: Watched, site: Site, address: dict[str, str]) -> None:
    page = watched.open(f"{site.url}/?{urlencode(address)}")
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator(".line, #lines .nothing").first).to_be_visible()
    assert beyond(page) == {}
    if "q" not in address or page.locator(".line-link").count() == 0:
        return
    page.locator(".line-link").first.click()
    expect(page.get_by_role("dialog", name=re.compile("^Line")).locator("dd bdi").first).to_be_visible()
    assert beyond(page) == {}


@pytest.mark.parametrize("tables", ["", "hops,ledger,processes,letters,rules"], ids=["drawn", "tables"])
def test_the_page_of_the_pipeline_is_as_wide_as_its_window(watched: Watched, site: Site, tables: str) -> None:
    page = watched.context.new_page()
    page.route("**/dead-letters*", hostile)
    page.goto(f"{site.url}/pipeline?{urlencode({'tables': tables})}")
    expect(page.locator("#letters")).to_contain_text(HOSTILE[-1])
    assert beyond(page) == {}
    assert page.locator("#dashboard script, #dashboard img").count() == 0


def hostile(route: Route) -> None:
    """Dead letters of all that somebody may have sent."""
    answer = route.fetch()
    content = answer.json()
    letters = [
        content["data"][0] | {"id": number, "text": text, "detail": f"expected something else, found '{text}'"}
        for number, text in enumerate(HOSTILE)
    ]
    route.fulfill(response=answer, json=content | {"data": letters})


def beyond(page: Page) -> dict[int, list[str]]:
    """What is beyond the window, by the window's width."""
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        if names := page.evaluate(BEYOND):
            found[width] = names
    return found
