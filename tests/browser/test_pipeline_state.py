"""The pipeline's page, too, is what its address says: which letters, and which rule was tried."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched

RULES = "What another rule would store"
TRIED = re.compile("/rules/preview")


def test_a_reason_and_a_rule_are_in_the_address_and_back_brings_back_what_was(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/pipeline")
    page.get_by_role("button", name="status 1").click()
    expect(page).to_have_url(re.compile(r"\?reason=status$"))
    expect(page.locator(".letter")).to_have_count(1)
    page.get_by_label("DISCARD_STATUS").fill("404,5xx")
    page.get_by_role("button", name="Try").click()
    expect(page).to_have_url(re.compile(r"\?reason=status&rule=404%2C5xx$"))

    other = watched.open(page.url)
    expect(other.locator(".letter .reason")).to_have_text("status")
    expect(other.get_by_role("button", name="status 1")).to_have_attribute("aria-pressed", "true")
    expect(other.get_by_label("DISCARD_STATUS")).to_have_value("404,5xx")
    expect(other.locator(".rules")).to_contain_text("404,5xx as proposed")

    page.go_back()
    expect(page.get_by_label("DISCARD_STATUS")).to_have_value("200")
    expect(page.locator(".letter")).to_have_count(1)
    page.go_back()
    expect(page.locator(".letter")).to_have_count(3)


def test_a_reason_of_which_there_is_no_letter_any_more_can_be_taken_back(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/pipeline?reason=latency")
    expect(page.locator("#letters .nothing")).to_be_visible()
    page.get_by_role("button", name="latency 0").click()
    expect(page.locator(".letter")).to_have_count(3)


def test_a_rule_says_as_of_when_and_tried_once_more_is_asked_once_more(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/pipeline")
    note = page.get_by_role("region", name=RULES, exact=True).locator(".note")
    expect(note).to_have_text(re.compile(r"^of the last day, as of \d+ \w+ \d\d:\d\d:\d\d$"))
    page.get_by_label("DISCARD_STATUS").fill("404")
    with page.expect_response(TRIED) as first:
        page.get_by_role("button", name="Try").click()
    with page.expect_response(TRIED) as second:
        page.get_by_role("button", name="Try").click()
    assert first.value.url == second.value.url
    assert second.value.url.endswith("discard_status=404")
    page.get_by_label("DISCARD_STATUS").fill("")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?rule=$"))
    expect(page.locator(".rules")).to_contain_text("(stores all) as proposed")
