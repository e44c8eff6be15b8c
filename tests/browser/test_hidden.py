"""A page that nobody sees asks nothing; whatever it shows, it asks as soon as somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from pipeline.moment import rfc3339
from tests.browser.conftest import Site
from tests.browser.watched import Watched

# A tab in the background, before any script of the page runs; `appear()` brings it forward.
HIDDEN = """
let hidden = true;
Object.defineProperty(document, "hidden", { get: () => hidden });
Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
const turn = (to) => {
  hidden = to;
  document.dispatchEvent(new Event("visibilitychange"));
};
window.appear = () => turn(false);
window.vanish = () => turn(true);
"""


@pytest.fixture
def behind(watched: Watched) -> Callable[[str], Page]:
    """Opens an address in a tab that nobody sees."""

    def opened(url: str) -> Page:
        watched.context.add_init_script(HIDDEN)
        page = watched.open(url)
        page.wait_for_load_state("networkidle")
        return page

    return opened


def asked(watched: Watched) -> list[str]:
    """The paths of the API that were asked."""
    paths = [urlsplit(one.url).path for one in watched.requests]
    return [path for path in paths if path not in ("/", "/pipeline") and not path.startswith("/static/")]


def chosen(ended: timedelta = timedelta(hours=1)) -> str:
    """A window of some hours that ended so long ago, as an address has it."""
    now = datetime.now(UTC)
    return urlencode({"from": rfc3339(now - timedelta(hours=5)), "to": rfc3339(now - ended)})


@pytest.mark.parametrize("search", ["range=1h", "live=0", chosen()], ids=["live", "live=0", "chosen"])
def test_figures_come_when_the_page_is_first_seen(
    watched: Watched, site: Site, behind: Callable[[str], Page], search: str
) -> None:
    page = behind(f"{site.url}/?{search}")
    assert asked(watched) == []
    expect(page.locator(".freshness")).to_contain_text("asking")
    page.evaluate("appear()")
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")
    expect(page.locator(".freshness")).to_contain_text("data to")


def test_a_line_opens_when_the_page_is_first_seen(site: Site, behind: Callable[[str], Page]) -> None:
    page = behind(f"{site.url}/?live=0&line=1")
    expect(page.get_by_role("dialog", name="Line 1")).to_be_visible()
    page.evaluate("appear()")
    expect(page.get_by_role("dialog", name="Line 1").locator("dt").first).to_be_visible()


def test_all_of_the_pipeline_comes_when_the_page_is_first_seen(
    watched: Watched, site: Site, behind: Callable[[str], Page]
) -> None:
    page = behind(f"{site.url}/pipeline?live=0")
    assert asked(watched) == []
    page.evaluate("appear()")
    for shown in (".verdict.is-good, .verdict.is-warn, .verdict.is-bad", ".letter", ".rules", ".stack .data-table"):
        expect(page.locator(shown).first).to_be_visible()
    expect(page.get_by_role("button", name="Send letter 1 again")).to_be_visible()


def test_what_is_there_and_stands_still_is_not_asked_for_again(
    watched: Watched, site: Site, behind: Callable[[str], Page]
) -> None:
    page = behind(f"{site.url}/?live=0")
    page.evaluate("appear()")
    expect(page.locator(".freshness")).to_contain_text("data to")
    page.wait_for_load_state("networkidle")
    watched.requests.clear()
    page.evaluate("vanish(); appear()")
    page.wait_for_timeout(300)
    assert asked(watched) == []
