"""What axe-core finds on either page in every state, both themes, narrow and wide: nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Guarded, Site
from tests.browser.watched import Watched

# Both themes, narrow and wide; for what stands on a page that was looked at in all of them, each of them once.
EVERY: Final = (("light", 360), ("light", 1440), ("dark", 360), ("dark", 1440))
EACH: Final = (("light", 360), ("dark", 1440))
# All of WCAG 2.2 A and AA, of which axe leaves the size of targets out by default, and what it recommends beside it.
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

FEW: Final = "q=ip:198.51.100.9"


def lines(page: Page) -> None:
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator(".line-link").first).to_be_visible()


def drawer(page: Page) -> None:
    lines(page)
    page.locator(".line-link").first.click()
    expect(page.get_by_role("dialog", name=re.compile("^Line")).locator("dd").first).to_be_visible()


def search_problem(page: Page) -> None:
    page.get_by_role("searchbox").fill("no:field")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()


def window(page: Page) -> None:
    page.get_by_text("Custom", exact=True).click()
    expect(page.get_by_label("From")).to_be_visible()
    expect(page.get_by_text("Waiting for the next line")).to_be_attached()


def help_(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()


def rules(page: Page) -> None:
    page.get_by_label("DISCARD_STATUS").fill("4xx,5xx")
    page.get_by_role("button", name="Try").click()
    expect(page.locator(".rule-changes li").first).to_be_visible()


def nothing(page: Page) -> None:
    del page


# Where to go, what to wait for, and what to do there then.
STATES: Final[dict[str, tuple[str, str, Callable[[Page], None]]]] = {
    "filters, tables": (
        f"/?range=15m&{FEW}+-method:PUT+latency:>1&routes=p95&tables=cards,requests,latency,addresses",
        ".data-table",
        search_problem,
    ),
    "no match": ("/?q=path:/no/such/path", ".empty", nothing),
    "line": (f"/?range=24h&{FEW}", ".ranking .key", drawer),
    "window, tail": (f"/?range=15m&tail=1&{FEW}", ".ranking .key", window),
    "help": (f"/?range=15m&{FEW}", ".ranking .key", help_),
    "pipeline's tables": ("/pipeline?tables=hops,ledger,processes,letters,rules", ".data-table", nothing),
}


@pytest.mark.parametrize(
    ("path", "shown", "reach"), [("/?range=24h", ".ranking .key", nothing), ("/pipeline", ".letter", rules)]
)
def test_axe_finds_nothing_on_either_page(
    watched: Watched, site: Site, path: str, shown: str, reach: Callable[[Page], None]
) -> None:
    page = watched.open(site.url + path)
    expect(page.locator(shown).first).to_be_visible()
    reach(page)
    assert violations(page, EVERY) == []


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_what_opens_on_it(watched: Watched, site: Site, state: str) -> None:
    path, shown, reach = STATES[state]
    page = watched.open(site.url + path)
    expect(page.locator(shown).first).to_be_visible()
    reach(page)
    assert violations(page, EACH) == []


@pytest.mark.parametrize("path", ["/", "/pipeline"])
def test_axe_finds_nothing_where_there_never_was_a_line(watched: Watched, empty_site: Site, path: str) -> None:
    page = watched.open(empty_site.url + path)
    expect(page.locator(".empty, .hop").first).to_be_visible()
    assert violations(page, EVERY) == []


@pytest.mark.parametrize("path", ["/", "/pipeline"])
def test_axe_finds_nothing_where_a_key_is_asked_for(watched: Watched, guarded_site: Guarded, path: str) -> None:
    watched.expected += ["401"]
    page = watched.open(guarded_site.url + path)
    expect(page.get_by_role("dialog", name="Log in")).to_be_visible()
    page.get_by_label("Key").fill("tally_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).not_to_be_empty()
    assert violations(page, EACH) == []


@pytest.mark.parametrize("path", ["/", "/pipeline"])
def test_axe_finds_nothing_where_nobody_answers(watched: Watched, site: Site, path: str) -> None:
    watched.expected += ["net::ERR", "Failed to load resource"]
    page = watched.context.new_page()
    page.route(re.compile(r"//[^/]+/(overview|logs|pipeline/status|ledger|dead-letters|rules|session)\b"), abort)
    page.goto(site.url + path)
    expect(page.get_by_role("alert").first).to_be_visible()
    assert violations(page, EACH) == []


def abort(route: Route) -> None:
    """As where nothing listens."""
    route.abort("connectionrefused")


def violations(page: Page, views: Iterable[tuple[str, int]]) -> list[str]:
    """What axe finds in views of a theme and a width: the rule, and where."""
    found = []
    for theme, width in views:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        options = {"runOnly": list(RULES), "resultTypes": ["violations"]}
        for one in Axe().run(page, options=options).response["violations"]:
            found += [f"{theme} {width}: {one['id']} at {node['target']}, {node['html']:.120}" for node in one["nodes"]]
    return found
