"""What is read out to who does not see the page: what changed in kind, not each second and each number."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched

LISTEN = """() => {
  window.read = [];
  for (const one of document.querySelectorAll("[role=status], [role=alert]")) {
    new MutationObserver(() => one.textContent && window.read.push(one.textContent))
      .observe(one, { subtree: true, childList: true, characterData: true });
  }
}"""


@pytest.mark.parametrize("path", ["/", "/pipeline"])
def test_nothing_is_read_out_while_nothing_changes_in_kind(watched: Watched, site: Site, path: str) -> None:
    page = watched.open(site.url + path)
    statuses = page.get_by_role("status")
    expect(page.locator(".freshness")).to_contain_text("data to")
    if path == "/":
        expect(statuses).to_have_text(["numbers are fresh"])
    else:
        expect(page.get_by_role("region", name="How it is").get_by_role("status")).not_to_be_empty()
    shown = page.locator(".freshness-words")
    before = shown.inner_text()
    page.evaluate(LISTEN)
    page.wait_for_timeout(7_000)  # it looks twice
    assert shown.inner_text() != before
    assert page.evaluate("read") == []
