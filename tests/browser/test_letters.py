"""Dead letters: what came is corrected and sent again, and what cannot be sent says why in its place."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, Route, expect

from cli.child import wait_until
from tests.browser.conftest import Site
from tests.browser.test_live import now
from tests.browser.watched import Watched
from tests.integration.pipeline import PATIENCE, Pipeline


def letter(page: Page, text: str) -> Locator:
    """The letter of a text; it is found by its detail, which stays while its text is edited."""
    return page.locator(".letter", has_text=text)


def test_a_line_is_corrected_and_sent_and_its_letter_is_done(watched: Watched, pipeline: Pipeline) -> None:
    watched.expected += ["409"]
    page = watched.open(f"http://{pipeline.url('webapi')}/pipeline?live=0")
    wrong = f"{now(page)} 203.0.113.300 GET /corrected 404 8ms"
    assert pipeline.upload([wrong, f"{now(page)} 203.0.113.5 GET /beside 404 8ms"]).status == 202
    assert wait_until(lambda: bool(pipeline.get("/dead-letters").json["data"]), PATIENCE)
    page.reload()
    one = letter(page, "203.0.113.300")
    field = one.get_by_role("textbox")
    expect(field).to_have_value(wrong)
    one.get_by_role("button", name=re.compile("^Send letter .* again$")).click()
    expect(one.get_by_role("alert")).to_contain_text("expected an IPv4 address")
    expect(field).to_have_value(wrong)

    field.fill(wrong.replace("203.0.113.300", "203.0.113.30"))
    one.get_by_role("button", name=re.compile("^Send letter .* as changed$")).click()
    expect(one.get_by_role("status")).to_have_text("sent again")
    expect(one.get_by_role("button")).to_have_count(0)
    expect(one.get_by_role("alert")).to_be_empty()
    found = urlencode({"q": "path:/corrected"})
    assert wait_until(lambda: len(pipeline.ask("webapi", f"/logs?{found}").json["data"]) == 1, PATIENCE)
    (line,) = pipeline.ask("webapi", f"/logs?{found}").json["data"]
    assert (line["IP"], line["Status"]) == ("203.0.113.30", 404)

    page.reload()
    expect(letter(page, "203.0.113.300").locator(".retried")).to_have_text("sent again")
    expect(letter(page, "203.0.113.300").get_by_role("textbox")).to_have_count(0)


def test_a_reason_that_is_chosen_leaves_the_others_to_be_chosen(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/pipeline?live=0&reason=nope")
    expect(page.locator("#letters .nothing")).to_have_text("Nothing was rejected for the reason nope.")
    reasons = page.get_by_role("list", name="Reasons").get_by_role("button")
    expect(reasons.last).to_have_text("nope 0")
    expect(reasons).not_to_have_count(1)
    number = reasons.count()
    reasons.first.click()
    expect(page.locator(".letter").first).to_be_visible()
    expect(reasons).to_have_count(number - 1)  # the one that there was nothing of is gone
    expect(reasons.first).to_have_attribute("aria-pressed", "true")


def test_what_is_no_text_or_no_line_or_not_all_of_it_is_not_offered_to_be_changed(watched: Watched, site: Site) -> None:
    page = watched.context.new_page()
    parts = ({"text": "a\ufffdb"}, {"line": None}, {"is_whole": False})

    def answer(route: Route) -> None:
        said = route.fetch()
        content = said.json()
        for one, part in zip(content["data"], parts, strict=True):
            one |= part
        route.fulfill(response=said, json=content)

    page.route("**/dead-letters?*", answer)
    page.goto(f"{site.url}/pipeline?live=0")
    expect(page.get_by_role("button", name=re.compile("^Send letter"))).to_have_count(len(parts))
    expect(page.locator(".letter pre")).to_have_count(len(parts))
    expect(page.locator(".letter").get_by_role("textbox")).to_have_count(0)
