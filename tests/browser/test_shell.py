"""The page as it comes, before anybody does anything."""

from __future__ import annotations

from playwright.sync_api import Page


def test_it_is_there(page: Page) -> None:
    assert "Tally" in page.title()
