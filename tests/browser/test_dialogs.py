"""Dialogs: which of them Escape closes."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Guarded
from tests.browser.watched import Watched


def test_no_escape_leaves_an_empty_page_in_place_of_the_question_for_a_key(
    watched: Watched, guarded_site: Guarded
) -> None:
    watched.expected += ["401"]
    page = watched.open(guarded_site.url)
    asked = page.get_by_role("dialog", name="Log in")
    expect(asked).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Escape")
        page.wait_for_timeout(100)
    expect(asked).to_be_visible()
    # As a browser does that knows no other way.
    asked.evaluate("dialog => dialog.close()")
    expect(asked).to_be_visible()
    page.get_by_label("Key").fill(guarded_site.reader)
    page.keyboard.press("Enter")
    expect(asked).to_have_count(0)
    expect(page.locator(".card").first).to_be_visible()
