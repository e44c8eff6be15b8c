"""What the page says of its own numbers: how late they are, and of which question and time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from pipeline.moment import rfc3339
from tests.browser.conftest import Site
from tests.browser.test_hidden import chosen
from tests.browser.watched import Watched

BADGE, FIGURE = ".freshness", ".card-value"
LAST_GOOD = "These are the last good numbers"
FAILED = {"problem": {"status": 503, "title": "x", "detail": "took too long"}}


def changing(change: Callable[[Any], Any]) -> Callable[[Route], None]:
    """Answers as the server does, but for a change."""

    def answer(route: Route) -> None:
        said = route.fetch()
        route.fulfill(response=said, json=change(said.json()))

    return answer


def late(answer: Any) -> Any:
    """The same answer of a pipeline that is five minutes behind."""
    behind = rfc3339(datetime.fromisoformat(answer["as_of"]) - timedelta(minutes=5))
    parts = [part for part in answer.values() if isinstance(part, dict) and "meta" in part]
    for one in (answer, *(part["meta"] for part in parts)):
        one["data_to"] = behind
    return answer


@pytest.mark.parametrize("search", ["range=1h", "live=0", None], ids=["live", "live=0", "chosen"])
def test_a_pipeline_that_is_behind_is_told_in_every_window(watched: Watched, site: Site, search: str | None) -> None:
    page = watched.context.new_page()
    page.route("**/overview*", changing(late))
    page.goto(f"{site.url}/?{search or chosen(timedelta(minutes=1))}")
    expect(page.locator(f"{BADGE}.is-behind")).to_contain_text("behind by 5 min")


def test_a_pipeline_that_is_behind_is_told_on_its_own_page_too(watched: Watched, site: Site) -> None:
    page = watched.context.new_page()
    page.route("**/pipeline/status", changing(late))
    page.goto(f"{site.url}/pipeline?live=0")
    expect(page.locator(f"{BADGE}.is-behind")).to_contain_text("behind by 5 min")


def test_a_window_of_which_all_is_counted_is_not_behind(watched: Watched, site: Site) -> None:
    page = watched.context.new_page()
    page.route("**/overview*", changing(late))
    page.goto(f"{site.url}/?{chosen()}")
    expect(page.locator(f"{BADGE}.is-fresh")).to_contain_text("lag 5 min")


def test_a_panel_that_fails_alone_keeps_its_last_numbers_and_says_so(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=15m")
    figures = page.get_by_role("region", name="Figures", exact=True)
    expect(figures.locator(FIGURE).first).not_to_have_text("\u2013")
    before = figures.locator(FIGURE).first.inner_text()
    page.route("**/overview*", changing(lambda answer: answer | {"summary": FAILED}))
    expect(figures.get_by_role("alert")).to_contain_text(f"{LAST_GOOD}: took too long", timeout=15_000)
    expect(figures.locator(FIGURE).first).to_have_text(before)
    expect(figures.locator(".is-stale")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(1)

    page.get_by_role("link", name="Last hour").click()
    expect(figures.get_by_role("alert")).to_contain_text("took too long")
    expect(figures.get_by_role("alert")).not_to_contain_text(LAST_GOOD)
    expect(figures.locator(FIGURE)).to_have_count(0)


def refuse(route: Route) -> None:
    """As where nothing listens."""
    route.abort("connectionrefused")


def click(name: str) -> Callable[[Page], None]:
    """Follows a link."""
    return lambda page: page.get_by_role("link", name=name, exact=True).click()


@pytest.mark.parametrize("change", [click("Last 24 hours"), click("/cart")], ids=["range", "filter"])
def test_numbers_of_another_question_do_not_stand_for_those_that_did_not_come(
    watched: Watched, site: Site, change: Callable[[Page], None]
) -> None:
    watched.expected += ["/overview", "/logs", "Failed to load resource"]
    page = watched.open(site.url)
    expect(page.locator(FIGURE).first).not_to_have_text("\u2013")
    page.route("**/overview*", refuse)
    change(page)
    expect(page.locator("main > .trouble")).to_contain_text("cannot be reached")
    expect(page.locator(f"{FIGURE}:not(:text-is('\u2013'))")).to_have_count(0)
    expect(page.locator(".ranking, .plot")).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text(LAST_GOOD)
    expect(page.locator(".freshness-words")).to_have_text("no answer")

    page.unroute("**/overview*", refuse)
    page.locator(BADGE).get_by_role("button", name="Retry").click()
    expect(page.locator(FIGURE).first).not_to_have_text("\u2013")


def test_another_rule_that_is_refused_has_no_numbers_of_the_one_before(watched: Watched, site: Site) -> None:
    watched.expected += ["400"]
    page = watched.open(f"{site.url}/pipeline")
    expect(page.locator(".rules")).to_be_visible()
    page.get_by_label("DISCARD_STATUS").fill("everything")
    page.get_by_role("button", name="Try", exact=True).click()
    panel = page.get_by_role("region", name="What another rule would store")
    expect(panel.get_by_role("alert")).to_contain_text("expected")
    expect(panel.locator(".rules")).to_have_count(0)
    page.get_by_label("DISCARD_STATUS").fill("5xx")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(panel.locator(".rules")).to_contain_text("5xx")
    expect(panel.get_by_role("alert")).to_have_count(0)
