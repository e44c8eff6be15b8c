"""The button of an empty page that has something come."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from cli.tether import Tether
from pipeline import api_keys
from tests.browser.conftest import Prepare, Site
from tests.browser.test_accessibility import EVERY, violations
from tests.browser.test_login import log_in
from tests.browser.watched import Watched
from tests.integration.pipeline import running
from tests.servers import Backend

BUTTON = "Generate demo traffic"
# The first card's figure, once it is more than `before`.
REQUESTS = """(before) => {
  const requests = Number(document.querySelector(".card-value")?.textContent.replace(/\\D/g, "") || 0);
  return requests > before && requests;
}"""


def test_a_click_on_an_empty_page_makes_its_numbers_move(
    watched: Watched, servers: Backend, tether: Tether, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running(servers, tether, tmp_path_factory.mktemp("demo"), DEMO_TRAFFIC="1") as pipeline:
        page = watched.open(f"http://{pipeline.url('webapi')}/?live=0")
        page.get_by_role("button", name=BUTTON).click()
        expect(page).not_to_have_url(re.compile("live=0"))
        first = page.wait_for_function(REQUESTS, arg=0, timeout=30_000).json_value()
        assert page.wait_for_function(REQUESTS, arg=first, timeout=30_000).json_value() > first


def test_a_receiver_that_is_away_is_told_beside_the_button(watched: Watched, prepare: Prepare) -> None:
    watched.expected += ["/demo-traffic", "503"]
    with prepare(DEMO_TRAFFIC="1") as prepared:
        pass
    page = watched.open(prepared.url)
    button = page.get_by_role("button", name=BUTTON)
    button.click()
    expect(page.get_by_role("alert").filter(has_text="the receiver at 127.0.0.1")).to_be_visible()
    expect(button).to_be_enabled()
    assert violations(page, EVERY) == []


def test_without_leave_there_is_the_command(watched: Watched, empty_site: Site) -> None:
    page = watched.open(empty_site.url)
    expect(page.get_by_role("region", name="The generator")).to_contain_text("tally generator")
    expect(page.get_by_role("button", name=BUTTON)).to_have_count(0)


def test_where_keys_are_required_only_an_admin_is_offered_it(watched: Watched, prepare: Prepare) -> None:
    watched.expected += ["401"]
    with prepare(DEMO_TRAFFIC="1", REQUIRE_API_KEYS="1") as prepared:
        reader = api_keys.create(prepared.store, "reader", frozenset(["read"]), None)
        admin = api_keys.create(prepared.store, "admin", frozenset(["read", "admin"]), None)
    page = watched.open(prepared.url)
    log_in(page, reader)
    expect(page.get_by_role("region", name="The generator")).to_be_visible()
    expect(page.get_by_role("button", name=BUTTON)).to_have_count(0)
    page.get_by_role("button", name="Log out").click()
    log_in(page, admin)
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()
