"""Where keys are required: nothing of the data before a key is given, nor after the session's end."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from cli.child import wait_until
from pipeline import api_keys
from pipeline.storage import Store
from tests.browser.conftest import Guarded
from tests.browser.seeded import SLOWEST, WORST_ADDRESS
from tests.browser.watched import Watched

# Far more than the five that `tally keys create` says: machines are busy.
KNOWN_SECONDS = 15.0


def log_in(page: Page, key: str) -> None:
    """As people do, by keyboard."""
    expect(page.get_by_role("dialog", name="Log in")).to_be_visible()
    expect(page.get_by_label("Key")).to_be_focused()
    page.keyboard.type(key)
    page.keyboard.press("Enter")


def test_without_a_key_there_is_none_of_the_data(watched: Watched, guarded_site: Guarded) -> None:
    watched.expected += ["401"]
    said: list[str] = []
    watched.context.on("response", lambda answer: said.append(answer.text()))
    for path in ("/", "/?range=24h&tail=1&line=1", "/pipeline"):
        page = watched.open(guarded_site.url + path)
        expect(page.get_by_role("dialog", name="Log in")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.locator(".ranking, .line, .hop, .letter").count() == 0
    assert len(said) > 100
    assert [text for text in said if WORST_ADDRESS in text or SLOWEST in text] == []


def test_a_key_that_may_read_opens_the_page_where_it_stood_until_the_log_out(
    watched: Watched, guarded_site: Guarded
) -> None:
    watched.expected += ["401"]
    page = watched.open(f"{guarded_site.url}/?range=24h&q=status:5xx")
    log_in(page, guarded_site.reader[:-1] + ("0" if guarded_site.reader[-1] != "0" else "1"))
    expect(page.get_by_role("dialog").get_by_role("alert")).not_to_be_empty()
    page.get_by_label("Key").fill(guarded_site.reader)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".ranking .key").first).to_be_visible()
    expect(page.locator(".chip")).to_contain_text("5xx")
    assert page.evaluate("document.cookie") == ""

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("dialog", name="Log in")).to_be_visible()
    expect(page.locator(".card, .ranking, .line")).to_have_count(0)
    assert watched.context.cookies() == []


def test_an_expired_session_asks_for_a_key_again_and_goes_on(watched: Watched, guarded_site: Guarded) -> None:
    watched.expected += ["401"]
    page = watched.open(guarded_site.url)
    log_in(page, guarded_site.reader)
    expect(page.get_by_role("dialog")).to_have_count(0)
    (cookie,) = watched.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    version, public_id, _, signature = cookie["value"].split(".")
    # An end that has passed, or that somebody has put off: neither is what was signed.
    for until in ("1000000000", "9999999999"):
        cookie["value"] = f"{version}.{public_id}.{until}.{signature}"
        watched.context.add_cookies([cookie])  # type: ignore[list-item]
        expect(page.get_by_role("dialog", name="Log in")).to_be_visible(timeout=12_000)
        log_in(page, guarded_site.reader)
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_only_an_admins_session_is_offered_to_send_a_letter_again(watched: Watched, guarded_site: Guarded) -> None:
    watched.expected += ["401"]
    page = watched.open(f"{guarded_site.url}/pipeline")
    log_in(page, guarded_site.reader)
    expect(page.locator(".letter")).to_have_count(3)
    expect(page.locator("#letters")).to_contain_text("scope admin")
    expect(page.get_by_role("button", name=re.compile("^Send letter"))).to_have_count(0)
    page.get_by_role("button", name="Log out").click()
    log_in(page, guarded_site.admin)
    expect(page.get_by_role("button", name=re.compile("^Send letter"))).to_have_count(3)


def test_a_session_ends_with_its_key(watched: Watched, guarded_site: Guarded) -> None:
    watched.expected += ["401"]
    store = Store.open(guarded_site.database)
    revocable = api_keys.create(store, "revocable", frozenset(["read"]), None)
    asked = {"Authorization": f"Bearer {revocable}"}
    questions = watched.context.request
    assert wait_until(lambda: questions.get(f"{guarded_site.url}/logs", headers=asked).ok, KNOWN_SECONDS)
    page = watched.open(guarded_site.url)
    log_in(page, revocable)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert api_keys.revoke(store, revocable.split("_")[1])
    store.disconnect()
    expect(page.get_by_role("dialog", name="Log in")).to_be_visible(timeout=15_000)
