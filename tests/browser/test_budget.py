"""What a page costs: bytes of its first load, time until it has its numbers, and how often an idle one asks."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched

PAGES: Final = ("/", "/pipeline")
MOST_BYTES: Final = 100_000
# Milliseconds on a machine that does nothing else; longer where so many processes want to run at once.
READY: Final = 500
# By the page's clock: all that looks again does so in this time.
SECONDS: Final = 45
# Notes when the first number is there, before any script of the page runs.
WATCH: Final = """
new MutationObserver((_, watch) => {
  const said = document.querySelector(".card-value, .verdict.is-good, .verdict.is-bad, .verdict.is-warn")?.textContent;
  if (said && said !== "\u2013") {
    performance.mark("ready");
    watch.disconnect();
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
LOOKED: Final = "() => performance.getEntriesByName('ready').length > 0"


@pytest.mark.parametrize("path", PAGES)
def test_a_first_load_has_a_hundred_kilobytes_at_most_with_all_that_is_sent(
    browser: Browser, site: Site, path: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    # (Of each address the first: where it takes long, the page looks again before all is there.)
    addresses: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.requestWillBeSent", lambda said: addresses.update({said["requestId"]: said["request"]["url"]}))
    session.on(
        "Network.loadingFinished",
        lambda said: sizes.setdefault(addresses[said["requestId"]], said["encodedDataLength"]),
    )
    page.goto(site.url + path, wait_until="commit")
    expect(page.locator(".sparkline polyline, .verdict").first).to_be_attached()
    # (The browser's own pictures, of a field for dates, are "asked for" too, and nothing is sent for them.)
    asked = [urlsplit(address).path for address in addresses.values() if not address.startswith("data:")]
    page.wait_for_load_state("networkidle")
    context.close()
    assert 20_000 < sum(sizes.values()) <= MOST_BYTES
    # All figures of the first page come at once.
    assert path != "/" or [one for one in asked if not one.startswith("/static/")] == ["/", "/overview"]


@pytest.mark.parametrize("path", PAGES)
def test_the_first_question_does_not_wait_for_the_rest_of_the_page_and_is_asked_once(
    watched: Watched, site: Site, path: str
) -> None:
    page = watched.context.new_page()
    held: list[Route] = []
    page.route("**/*-page.js", lambda route: held.append(route))
    with page.expect_response(re.compile("/(overview|pipeline/status)")) as answered:
        page.goto(site.url + path, wait_until="commit")
    for route in held:
        route.continue_()
    expect(page.locator(".card-value, .verdict").first).to_have_text(re.compile("[0-9a-z]"))
    assert [one.url for one in watched.requests].count(answered.value.url) == 1


@pytest.mark.parametrize("path", PAGES)
def test_it_has_its_numbers_soon(browser: Browser, site: Site, path: str) -> None:
    best = min(ready(browser, site.url + path) for _ in range(2))
    assert best <= READY * (1 + os.getloadavg()[0])


def ready(browser: Browser, url: str) -> float:
    """Milliseconds until a page that a browser never saw has its numbers."""
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(url)
    page.wait_for_function(LOOKED)
    found = float(page.evaluate("performance.getEntriesByName('ready')[0].startTime"))
    context.close()
    return found


@pytest.mark.parametrize("path", PAGES)
def test_a_page_at_rest_asks_twice_in_five_seconds_at_most(watched: Watched, site: Site, path: str) -> None:
    page = watched.context.new_page()
    page.clock.install()
    page.goto(site.url + path, wait_until="networkidle")
    page.locator("#lines, #letters").scroll_into_view_if_needed()
    expect(page.locator(".line, .letter").first).to_be_visible()
    # Its clock would go on with this machine's while answers are waited for: from here on it goes by seconds alone.
    page.clock.pause_at(datetime.fromtimestamp(page.evaluate("Date.now()") / 1000 + 1, UTC))
    asked = [requests_of_a_second(watched, page) for _ in range(SECONDS)]
    assert max(sum(asked[at : at + 5]) for at in range(SECONDS)) <= 2
    assert sum(asked) >= SECONDS // 6  # it does look again


def requests_of_a_second(watched: Watched, page: Page) -> int:
    """How often a page asks in the next second by its own clock; what it asks for comes within that."""
    watched.requests.clear()
    page.clock.run_for(1_000)
    while any(one.response() is None for one in watched.requests):
        page.wait_for_timeout(5)
    return len(watched.requests)
