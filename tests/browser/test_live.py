"""Live: numbers move in place, rest when nobody looks, and say when they are not fresh."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from playwright.sync_api import CDPSession, Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched, settle
from tests.integration.pipeline import Pipeline


def test_it_rests_where_live_is_off(watched: Watched, site: Site) -> None:
    page = watched.context.new_page()
    page.clock.install()
    page.goto(site.url)
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("live=0"))
    settle(page)
    watched.requests.clear()
    page.clock.run_for(60_000)
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


def test_an_answer_that_breaks_off_leaves_the_last_numbers(watched: Watched, site: Site) -> None:
    watched.expected += ["Failed to load resource"]
    page = watched.open(site.url)
    figure = page.locator(".card-value").first
    expect(figure).not_to_have_text("\u2013")
    before = figure.inner_text()
    page.route("**/overview*", lambda route: route.fulfill(body='{"summary":', content_type="application/json"))
    expect(page.locator(".freshness")).to_contain_text("no answer", timeout=10_000)
    expect(page.get_by_role("alert").first).to_contain_text("the answer broke off")
    assert figure.inner_text() == before


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


def test_a_worker_that_dies_is_seen_at_once_and_so_is_its_return(watched: Watched, pipeline: Pipeline) -> None:
    page = watched.open(f"http://{pipeline.url('webapi')}/pipeline")
    badge = page.locator(".freshness")
    verdict, workers = page.get_by_role("region", name="How it is"), page.locator(".hop", has_text="count and store")
    expect(verdict).to_contain_text("All is well", timeout=30_000)
    pipeline["worker"].kill()
    pipeline.upload([f"{now(page)} 203.0.113.5 GET /waits 503 8ms"])
    expect(verdict).to_contain_text("worker", timeout=30_000)
    expect(workers).to_have_class(re.compile("is-down"))
    expect(badge).to_have_class(re.compile("is-behind"), timeout=60_000)
    expect(badge).to_contain_text("behind by")
    pipeline.start("worker")
    expect(verdict).to_contain_text("All is well", timeout=60_000)
    expect(badge).to_have_class(re.compile("is-fresh"), timeout=30_000)


def test_eight_hours_of_live_leave_the_memory_flat(watched: Watched, site: Site) -> None:
    page = watched.context.new_page()
    page.clock.install()
    page.goto(site.url)
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")
    answer = page.evaluate("fetch('/overview?range=hour').then((said) => said.json())")
    looks = 0

    def moved(route: Route) -> None:
        nonlocal looks
        looks += 1
        answer["summary"]["data"]["requests"] = looks
        route.fulfill(json=answer)

    page.route("**/overview*", moved)
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator(".line-link").first).to_be_visible()
    held = []
    for number in range(1, 49):
        let_pass(page, "10:00")
        if number % 12 == 0:
            held.append((looks, memory(page)))
    assert looks >= 48
    (looks_before, first), (looks_then, last) = held[0], held[-1]
    # The page's clock keeps notes of its own, which are less than that for each look.
    assert last.bytes - first.bytes < (looks_then - looks_before) * len(json.dumps(answer)) / 2
    assert last.nodes < first.nodes + 100
    assert last.listeners < first.listeners + 20


def let_pass(page: Page, time: str) -> None:
    """Lets time pass by the page's clock, until it has looked again and shows what it saw."""
    figure = page.locator(".card-value").first
    before = figure.inner_text()
    page.clock.fast_forward(time)
    while figure.inner_text() == before:
        page.clock.run_for(5_000)


class Memory(NamedTuple):
    """What a page holds after what can go has gone: bytes of scripts, nodes, and who listens to them."""

    bytes: float
    nodes: float
    listeners: float


def memory(page: Page) -> Memory:
    """What a page holds now: the least of three readings, for one may meet an answer that is just being drawn."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    readings = [reading(session) for _ in range(3)]
    session.detach()
    return min(readings)


def reading(session: CDPSession) -> Memory:
    """What a page holds after one collection."""
    session.send("HeapProfiler.collectGarbage")
    said = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return Memory(said["JSHeapUsedSize"], said["Nodes"], said["JSEventListeners"])
