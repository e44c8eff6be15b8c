"""Live: numbers move in place, rest when nobody looks, and say when they are not fresh."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched
from tests.integration.pipeline import Pipeline


def asked(watched: Watched, path: str) -> int:
    """How often the page asked for a path."""
    return sum(urlsplit(request.url).path == path for request in watched.requests)


def test_a_page_asks_for_all_its_figures_at_once_and_seldom(watched: Watched, site: Site) -> None:
    page = watched.open(site.url)
    page.wait_for_timeout(2_500)
    watched.requests.clear()
    page.wait_for_timeout(10_000)
    assert 1 <= asked(watched, "/overview") <= 2
    assert len(watched.requests) <= 4


def test_it_rests_where_live_is_off(watched: Watched, site: Site) -> None:
    page = watched.open(site.url)
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("live=0"))
    page.wait_for_timeout(500)
    watched.requests.clear()
    page.wait_for_timeout(3_000)
    assert watched.requests == []


def test_what_fails_says_so_keeps_the_last_numbers_and_recovers(watched: Watched, site: Site) -> None:
    watched.expected += ["/overview", "Failed to load resource"]
    page = watched.open(site.url)
    figure = page.locator(".card-value").first
    expect(figure).not_to_have_text("\u2013")
    before = figure.inner_text()

    def fail(route: Route) -> None:
        route.abort("connectionrefused")

    page.route("**/overview*", fail)
    badge = page.locator(".freshness")
    expect(badge).to_contain_text("no answer", timeout=10_000)
    expect(page.get_by_text("These are the last good numbers").first).to_be_visible()
    assert figure.inner_text() == before
    page.unroute("**/overview*", fail)
    badge.get_by_role("button", name="Retry").click()
    expect(badge).to_contain_text("data to")
    expect(page.get_by_text("These are the last good numbers")).to_have_count(0)


def test_a_panel_that_fails_alone_says_so_in_its_place(watched: Watched, site: Site) -> None:
    page = watched.context.new_page()

    def break_routes(route: Route) -> None:
        answer = route.fetch()
        content = answer.json() | {"routes": {"problem": {"status": 503, "title": "x", "detail": "took too long"}}}
        route.fulfill(response=answer, json=content)

    page.route("**/overview*", break_routes)
    page.goto(site.url)
    routes = page.locator(".panel", has=page.get_by_role("heading", name="Routes"))
    expect(routes.get_by_role("alert")).to_contain_text("took too long")
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")


def test_figures_and_the_tail_move_when_lines_arrive(watched: Watched, pipeline: Pipeline) -> None:
    page = watched.open(f"http://{pipeline.url('webapi')}/?range=15m&tail=1")
    expect(page.get_by_text("Waiting for the next line")).to_be_visible()
    pipeline.upload([f"{now(page)} 203.0.113.5 GET /moved/{number} 503 8ms" for number in range(3)])
    expect(page.locator(".cell-path", has_text="/moved/2")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Pause", exact=True).click()
    pipeline.upload([f"{now(page)} 203.0.113.5 GET /later/{number} 503 8ms" for number in range(4)])
    expect(page.locator("#lines .note")).to_contain_text("4 waiting", timeout=15_000)
    expect(page.locator(".cell-path", has_text="/later")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".cell-path", has_text="/later")).to_have_count(4)
    expect(page.locator(".card-value").first).not_to_have_text("\u2013", timeout=15_000)


def now(page: Page) -> str:
    """The present, as a line has it."""
    return str(page.evaluate("new Date().toISOString()"))


def test_eight_hours_of_live_leave_the_memory_flat(watched: Watched, site: Site) -> None:
    page = watched.context.new_page()
    page.clock.install()
    page.goto(site.url)
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")
    answer = page.evaluate("fetch('/overview?range=hour').then((said) => said.text())")
    page.route("**/overview*", lambda route: route.fulfill(body=answer, content_type="application/json"))
    sizes = []
    for _ in range(4):
        for _ in range(60):
            page.clock.run_for(5_000)
        sizes.append(heap(page))
    assert sizes[-1] < sizes[0] * 1.3


def heap(page: Page) -> float:
    """Bytes that scripts hold after what can go has gone."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = float(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    return used
