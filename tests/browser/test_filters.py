"""Filters: by click, by keyboard, by address; and the way back."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.seeded import SLOWEST, WORST_ADDRESS
from tests.browser.watched import Watched


def card(page: Page, name: str) -> str:
    """The figure of a card."""
    return page.locator(".card", has=page.get_by_text(name, exact=True)).locator(".card-value").inner_text()


def test_a_click_on_a_route_filters_everything_and_a_second_one_takes_it_back(page: Page) -> None:
    everything = card(page, "Requests")
    route = page.get_by_role("link", name="/cart", exact=True)
    route.click()
    expect(page).to_have_url(re.compile(r"q=route%3A%2Fcart"))
    expect(page.get_by_label("Filters").get_by_role("listitem")).to_have_count(1)
    expect(page.locator(".ranking").first.locator("tbody .key")).to_have_count(1)
    assert card(page, "Requests") != everything
    route.click()
    expect(page.get_by_label("Filters")).to_have_count(0)


def test_a_chip_is_turned_around_and_removed(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?q=status:404")
    page.get_by_role("button", name="status is 404; turn around").click()
    expect(page).to_have_url(re.compile(r"q=-status%3A404"))
    page.get_by_role("button", name="Remove: status is not 404").click()
    assert page.url.rstrip("/") == site.url


def test_the_focus_stays_at_the_chips_that_are_turned_and_removed(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?q=status:404 method:GET path:/")
    page.get_by_role("button", name="status is 404; turn around").press("Enter")
    expect(page.get_by_role("button", name="status is not 404; turn around")).to_be_focused()
    page.get_by_role("button", name="Remove: status is not 404").press("Enter")
    for name in ("method is GET", "path contains /"):
        expect(page.get_by_role("button", name=f"Remove: {name}")).to_be_visible()
    expect(page.get_by_role("button", name="Remove: method is GET")).to_be_focused()
    page.get_by_role("button", name="Remove: path contains /").press("Enter")
    expect(page.get_by_role("button", name="Remove: method is GET")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(0)
    expect(page.locator(".filters")).to_be_focused()
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("live=0"))


def test_a_name_is_excluded_beside_it(page: Page) -> None:
    page.get_by_role("link", name="Exclude GET").click()
    expect(page).to_have_url(re.compile(r"q=-method%3AGET"))
    expect(page.get_by_role("table").filter(has=page.get_by_label("Methods"))).not_to_contain_text("GET")


def test_the_search_box_takes_the_whole_language_from_the_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("status:5xx -method:PUT latency:>20")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Filters").locator(".chip")).to_have_count(3)
    page.keyboard.type("no:field")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("character 1: no such field 'no'")


def test_what_the_server_cannot_understand_is_said_at_the_search_box(watched: Watched, site: Site) -> None:
    watched.expected += ["400"]
    page = watched.open(f"{site.url}/?q=status:9000")
    expect(page.locator("#search-problem")).to_contain_text("expected")


def test_a_search_of_an_address_that_is_not_understood_shows_no_other_lines_and_can_be_mended(
    watched: Watched, site: Site
) -> None:
    watched.expected += ["400"]
    page = watched.open(f"{site.url}/?q=status:5xx no:such")
    expect(page.locator("#search-problem")).to_contain_text("character 12: no such field 'no'")
    expect(page.locator(".freshness-words")).to_have_text("not answered: see the search")
    expect(page.locator(".card-value:not(:text-is('\u2013'))")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_value("status:5xx no:such")
    page.get_by_role("searchbox").fill("status:5xx")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?q=status%3A5xx$"))
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")


def test_back_brings_back_what_was_and_a_shared_link_shows_the_same(watched: Watched, site: Site) -> None:
    page = watched.open(site.url)
    page.get_by_role("link", name="Last 24 hours").click()
    page.get_by_role("button", name="slowest").click()
    expect(page.locator(".ranking tbody .key").first).to_contain_text(SLOWEST)
    page.get_by_role("link", name=SLOWEST, exact=True).click()
    expect(page.locator(".chip")).to_have_count(1)
    other = watched.open(page.url)
    expect(other.locator(".chip")).to_have_text(re.compile("route is"))
    expect(other.get_by_role("button", name="slowest")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)
    page.go_back()
    page.go_back()
    expect(page.get_by_role("link", name="Last hour")).to_have_attribute("aria-current", "true")


def test_the_address_with_most_errors_is_found_and_its_lines_behind_it(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h")
    page.get_by_role("group", name="Addresses by").get_by_role("button", name="most errors").click()
    worst = page.locator(".panel", has=page.get_by_role("heading", name="Addresses")).locator("tbody .key").first
    expect(worst).to_contain_text(WORST_ADDRESS)
    worst.get_by_role("link").click()
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator(".lines .line .cell-address").nth(1)).to_have_text(WORST_ADDRESS)
    # (Lines out of view are not drawn, and what is not drawn has no inner text.)
    addresses = page.locator(".lines .line:not(.line-head) .cell-address").all_text_contents()
    assert set(addresses) == {WORST_ADDRESS}


@pytest.mark.parametrize("search", ["status:404,200", "-status:5xx", "route:/checkout"])
@pytest.mark.parametrize("figure", ["Errors", "p95"])
def test_a_figure_of_filtered_lines_leads_to_some_of_them_and_no_others(
    watched: Watched, site: Site, search: str, figure: str
) -> None:
    page = watched.open(f"{site.url}/?{urlencode({'range': '24h', 'q': search})}")
    expect(page.locator(".card-value").first).not_to_have_text("\u2013")
    everything = int(card(page, "Requests").replace(",", ""))
    errors = round(everything * float(card(page, "Errors").removesuffix(" %")) / 100)
    page.locator(".card-link", has_text=figure).click()
    expect(page.locator(".chip")).to_have_count(2)
    page.locator("#lines").scroll_into_view_if_needed()
    note = page.locator("#lines .note")
    expect(note).to_have_text(re.compile("^[1-9]"))
    found = int(note.inner_text().split(" ")[0].replace(",", ""))
    # (Of what is told as a per cent, to a digit behind the point.)
    assert found == pytest.approx(errors, abs=everything * 0.0005 + 1) if figure == "Errors" else found < everything


def test_a_figure_leads_to_its_lines(page: Page) -> None:
    errors = page.locator(".card-link", has_text="Errors")
    expect(errors.locator(".card-value")).to_contain_text("%")
    errors.click()
    expect(page).to_have_url(re.compile(r"q=status%3A4xx%2C5xx"))
    expect(page.locator("#lines")).to_be_in_viewport()
