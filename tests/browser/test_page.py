"""What stands around the numbers: the empty page, help, themes, keys."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watched import Watched
from webapi.assets import assets


def test_an_empty_page_teaches_with_this_servers_own_address(watched: Watched, empty_site: Site) -> None:
    page = watched.open(empty_site.url)
    lesson = page.get_by_role("region", name="A line with curl")
    expect(lesson).to_contain_text(f"curl {empty_site.receiver}/upload")
    expect(lesson).to_contain_text(re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ 203\.0\.113\.7 GET"))
    expect(page.get_by_role("region", name="nginx's log_format")).to_contain_text("$request_uri $status")
    page.get_by_role("link", name="Look at 24h").click()
    expect(page).to_have_url(re.compile("range=24h"))


def test_help_opens_with_its_key_and_closes_with_escape(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_keys_do_what_the_help_says(page: Page) -> None:
    for key, name in (("1", "15 minutes"), ("3", "24 hours"), ("4", "7 days"), ("2", "hour")):
        page.keyboard.press(key)
        expect(page.get_by_role("link", name=f"Last {name}", exact=True)).to_have_attribute("aria-current", "true")
    page.keyboard.press("t")
    expect(page.get_by_role("heading", name="Lines as they come")).to_be_attached()
    page.keyboard.press("t")
    expect(page.get_by_role("heading", name="Lines", exact=True)).to_be_attached()


def test_a_theme_that_was_chosen_is_there_before_anything_is_drawn(watched: Watched, site: Site) -> None:
    page = watched.open(site.url)
    page.get_by_role("button", name="Theme: as the system").click()
    page.get_by_role("button", name="Theme: light").click()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    page.reload(wait_until="commit")
    page.wait_for_function("document.body")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_keys_do_nothing_while_somebody_types(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("l?t")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "live=0" not in page.url


def test_pages_are_one_and_back_leads_from_one_to_the_other(page: Page) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Pipeline").click()
    expect(page.get_by_role("heading", name="Ledger", exact=True)).to_be_visible()
    assert page.title() == "Pipeline · Tally"
    page.go_back()
    expect(page.get_by_role("heading", name="Figures")).to_be_visible()


def test_times_are_of_the_viewers_zone_and_say_utc(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?line=1")
    time = page.locator(".freshness time")
    expect(time).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))


def test_nothing_moves_by_itself_where_less_motion_is_wanted(watched: Watched, site: Site) -> None:
    page = watched.open(site.url)
    expect(page.locator(".dot.is-live")).to_be_visible()
    moving = "document.getAnimations().length"
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0


def test_keys_alone_reach_everything_in_order_and_each_thing_has_a_name(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/?range=24h")
    expect(page.locator(".ranking .key").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    reached = []
    while not page.evaluate("document.activeElement.closest('.breakdowns')"):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert all(name for name, _ in reached), reached
    assert all(outline != "none" for _, outline in reached), reached
    names = [name for name, _ in reached]
    for wanted in ("Pipeline", "Live", "Filter lines", "Last hour", "Figures as CSV", "Latency; arrow keys"):
        assert any(wanted in name for name in names), (wanted, names)
    page.get_by_role("button", name="slowest").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("routes=p95"))


FOCUSED = """(() => {
  const one = document.activeElement;
  const name = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent || one.title;
  return [name.trim(), getComputedStyle(one).outlineStyle];
})()"""


def test_what_is_loaded_late_is_shown_where_it_was_drawn_just_before_it_came(page: Page) -> None:
    names = ("vendor/preact", "dashboard/lazy", "dashboard/html")
    shown = page.evaluate(
        """async (paths) => {
          const [{ render }, { lazy }, { html }] = await Promise.all(paths.map((path) => import(path)));
          const places = [0, 1].map(() => document.body.appendChild(document.createElement("p")));
          const settled = () => new Promise((done) => setTimeout(done, 200));
          let arrive;
          const loading = new Promise((resolve) => (arrive = resolve));
          const Late = lazy(() => loading);
          render(html`<${Late} />`, places[0]);
          await settled();
          render(html`<${Late} />`, places[1]);
          arrive(() => "here");
          await settled();
          return places.map((place) => place.textContent);
        }""",
        [assets().path(f"{name}.js") for name in names],
    )
    assert shown == ["here", "here"]
