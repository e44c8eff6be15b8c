"""What stands above every page: the way to what was rejected, Live, and the window."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.seeded import REJECTED
from tests.browser.watched import Watched


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["/", "/pipeline"])
def test_what_was_rejected_is_a_click_away(watched: Watched, site: Site, path: str, width: int) -> None:
    page = watched.open(site.url + path)
    page.set_viewport_size({"width": width, "height": 700})
    link = page.get_by_role("link", name=f"{REJECTED} rejected")
    for _ in range(2):  # also where the address is there already
        link.click()
        expect(page).to_have_url(re.compile("/pipeline#letters$"))
        expect(page.locator("#letters")).to_be_focused()
        expect(page.get_by_role("heading", name="Dead letters")).to_be_in_viewport()
        expect(page.locator(".letter").first).to_be_in_viewport()
        page.evaluate("scrollTo(0, 0)")


WINDOW = "from=2025-11-25T10:00:00Z&to=2025-11-25T11:00:00Z"


def test_live_is_of_the_pipeline_also_where_a_window_of_traffic_was_chosen(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?{WINDOW}")
    live = page.get_by_role("button", name="Live", exact=True)
    expect(live).to_be_disabled()
    page.keyboard.press("l")
    expect(page).not_to_have_url(re.compile("live=0"))

    page.get_by_role("link", name="Pipeline").click()
    expect(page.locator(".hop").first).to_be_visible()
    expect(live).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("live=0"))
    expect(live).to_have_attribute("aria-pressed", "false")
    live.click()
    expect(page).not_to_have_url(re.compile("live=0"))
    page.get_by_role("link", name="Traffic").click()
    expect(live).to_be_disabled()
    expect(page).to_have_url(re.compile("from=2025-11-25"))


@pytest.mark.parametrize("mended", ["From", "To"])
def test_a_window_is_chosen_in_a_form_that_says_what_is_wrong_and_takes_what_is_mended(page: Page, mended: str) -> None:
    right = {"From": "2025-11-25T10:00:00", "To": "2025-11-25T11:00:00"}
    wrong = {"From": "2025-11-25T12:00:00", "To": "2025-11-25T09:00:00"}
    page.get_by_text("Custom", exact=True).click()
    for name in right:
        page.get_by_label(name, exact=True).fill((wrong if name == mended else right)[name])
    page.get_by_role("button", name="Show", exact=True).click()
    said = page.get_by_label("To", exact=True).evaluate("field => field.validationMessage")
    assert said == "The end must come after the beginning"
    assert "from=" not in page.url

    page.get_by_label(mended, exact=True).fill(right[mended])
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"from=2025-11-25T10%3A00%3A00.000Z&to=2025-11-25T11%3A00%3A00.000Z"))
    expect(page.locator(".custom summary")).to_have_text("25 Nov 10:00 \u2013 11:00")
    expect(page.locator(".custom form")).to_be_hidden()


def test_the_form_of_a_window_is_left_by_escape_and_by_a_click_elsewhere(page: Page) -> None:
    summary, form = page.locator(".custom summary"), page.locator(".custom form")
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.get_by_role("heading", name="Figures").click()):
        summary.click()
        expect(form).to_be_visible()
        page.get_by_label("From", exact=True).focus()
        leave()
        expect(form).to_be_hidden()
    summary.click()
    box, inside = form.bounding_box(), page.get_by_label("To", exact=True).bounding_box()
    assert box and inside and box["x"] <= inside["x"] and inside["x"] + inside["width"] <= box["x"] + box["width"]


def test_a_window_of_no_year_that_lines_have_is_shown_as_far_as_they_may_be(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?from=-200000-01-01T00:00:00Z&to=%2B200000-01-01T00:00:00Z")
    expect(page.locator(".custom summary")).to_contain_text("1970")
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")
