"""What the page says of its own numbers: how late they are, and of which question and time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from pipeline.moment import rfc3339
from tests.browser.conftest import Site
from tests.browser.test_hidden import chosen
from tests.browser.watched import Watched

BADGE = ".freshness"


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


@pytest.mark.parametrize("search", ["range=1h", "live=0", chosen(ended=timedelta(minutes=1))], ids=["live", "live=0", "chosen"])
def test_a_pipeline_that_is_behind_is_told_in_every_window(watched: Watched, site: Site, search: str) -> None:
    page = watched.context.new_page()
    page.route("**/overview*", changing(late))
    page.goto(f"{site.url}/?{search}")
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
