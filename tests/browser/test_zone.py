"""Times are the viewer's, and say what they are in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched

ZONE = "America/New_York"


@pytest.fixture
def abroad(browser: Browser) -> Iterator[Watched]:
    """A browser in New York."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id=ZONE)
    watched = Watched(context)
    yield watched
    context.close()
    assert watched.complaints() == []


@pytest.mark.parametrize(("path", "last"), [("/?range=24h&line=1", ".line time"), ("/pipeline", ".letter time")])
def test_each_time_is_of_the_viewers_zone_and_tells_its_utc(abroad: Watched, site: Site, path: str, last: str) -> None:
    page = abroad.open(site.url + path)
    page.locator("#lines, #letters").scroll_into_view_if_needed()
    expect(page.locator(last).first).to_be_visible()
    times = page.locator("time").evaluate_all("all => all.map(one => [one.dateTime, one.title, one.textContent])")
    assert len(times) > 3
    for said, title, text in times:
        at = datetime.fromisoformat(said)
        assert title == f"{at:%Y-%m-%d %H:%M:%S} UTC"
        local = at.astimezone(ZoneInfo(ZONE))
        # (Browsers say Sept, Python says Sep.)
        assert text.replace("Sept", "Sep") in (f"{local:%H:%M:%S}", f"{local.day} {local:%b %H:%M:%S}")


def test_the_charts_and_a_window_to_choose_are_of_the_viewers_zone(abroad: Watched, site: Site) -> None:
    window = "from=2026-01-15T04:00:00Z&to=2026-01-15T06:00:00Z"
    page = abroad.open(f"{site.url}/?{window}")
    expect(page.locator(".custom summary")).to_have_text("14 Jan 23:00 \u2013 15 Jan 01:00")
    page.locator(".custom summary").click()
    expect(page.get_by_label("From")).to_have_value(re.compile("^2026-01-14T23:00"))
    expect(page.get_by_text(f"Times of your zone, {ZONE}.")).to_be_visible()
    page.goto(f"{site.url}/?range=24h")
    chart = page.get_by_role("slider", name=re.compile("Requests by class"))
    chart.focus()
    page.keyboard.press("Home")
    series = page.evaluate("fetch('/overview?range=day').then((answer) => answer.json())")["requests"]["data"]
    first = datetime.fromisoformat(series[0]["time"]).astimezone(ZoneInfo(ZONE))
    expect(chart).to_have_attribute("aria-valuetext", re.compile(rf"^{first.day} \w+ {first:%H:}"))
