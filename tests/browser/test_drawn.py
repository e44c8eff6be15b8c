"""What is drawn and written for people says the same as the tables: cards, legends, rankings, the way of a line."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import Locator, Page, expect

from pipeline.moment import rfc3339
from tests.browser import written
from tests.browser.conftest import Site
from tests.browser.seeded import REJECTED
from tests.browser.shown import Shown, counted
from tests.browser.test_numbers import FILTERS, RANKINGS
from tests.browser.watched import Watched

CARDS = {
    "Requests": ("requests", written.count),
    "Per second": ("requests_per_second", written.rate),
    "Errors": ("error_rate", written.percent),
    "p50": ("p50_latency", written.latency),
    "p95": ("p95_latency", written.latency),
    "p99": ("p99_latency", written.latency),
    "Visitors": ("unique_ips", written.count),
}
CELLS = "rows => rows.map(row => [...row.cells].slice(0, 4).map(cell => cell.innerText.trim()))"


@pytest.mark.parametrize("filters", [{}, *FILTERS], ids=lambda filters: " ".join(filters) or "all")
def test_what_is_drawn_is_the_apis_and_a_recounts(watched: Watched, site: Site, filters: dict[str, str]) -> None:
    shown = Shown(watched, site, filters)
    cards_agree(shown)
    legend_agrees(shown)
    for panel in RANKINGS:
        ranking_agrees(shown, panel)


def cards_agree(shown: Shown) -> None:
    """Each of the seven figures, and the one before that it is compared with."""
    data = shown.ask("/stats", type="summary", scope="all")["data"]
    texts = shown.page.locator(".card").evaluate_all(
        "cards => cards.map(card => ['name', 'value'].map(part => card.querySelector(`.card-${part}`).textContent))"
    )
    assert {name: text.removeprefix("\u2248 ") for name, text in texts} == {
        name: write(data[key]) for name, (key, write) in CARDS.items()
    }
    before = shown.page.locator(".card .change").evaluate_all("words => words.map(one => one.title)")
    assert before == [f"before: {write(data['previous'][key])}" for key, write in CARDS.values()]
    assert dict(texts)["Requests"] == written.count(len(shown.lines))


def legend_agrees(shown: Shown) -> None:
    """How many requests there are of each class of status."""
    found = Counter(f"{line.status // 100}xx" for line in shown.lines)
    counts = shown.page.get_by_role("list", name="Classes of status").get_by_role("link")
    expect(counts).to_have_text([f"{name} {written.count(found[name])}" for name in ("2xx", "3xx", "4xx", "5xx")])


def test_figures_legend_and_lines_are_of_one_window_however_it_was_chosen(watched: Watched, site: Site) -> None:
    """By a link to seconds, from a line, and of steps that reach beyond it."""
    line = max((line for line in site.lines if line.kept), key=lambda line: line.at)
    ends = [line.at - timedelta(hours=9, seconds=7), line.at + timedelta(seconds=5)]
    query = urlencode({"from": rfc3339(ends[0]), "to": rfc3339(ends[1]), "q": "-status:200"})
    page = watched.open(f"{site.url}/?{query}")
    agree(page)
    page.locator(".line-link").first.click()
    page.get_by_role("link", name="A minute around it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    agree(page)


def agree(page: Page) -> None:
    """The figure, the legend and the list are of the same lines."""
    page.locator("#lines").scroll_into_view_if_needed()
    expect(page.locator("#lines .note")).to_have_text(re.compile("^[1-9]"))
    listed = int(page.locator("#lines .note").inner_text().split(" ")[0].replace(",", ""))
    expect(page.locator(".card-value").first).to_have_text(written.count(listed))
    legend = page.get_by_role("list", name="Classes of status").locator("strong").all_inner_texts()
    assert sum(int(one.replace(",", "")) for one in legend) == listed


def ranking_agrees(shown: Shown, panel: str) -> None:
    """Each place, and below them what the rest come to."""
    by, key_of = RANKINGS[panel]
    top = shown.ask("/stats/top", by=by, scope="all")
    body = shown.page.locator(f'tbody[aria-label="{panel}"]')
    rows = body.locator("tr:not(.rest)").evaluate_all(CELLS)
    # (A status has its words beside it.)
    assert [[row[0].split(" ")[0] if by == "status" else row[0], *row[1:]] for row in rows] == [
        cells(one["key"], one) for one in top["data"]
    ]
    rest = body.locator(".rest")
    other = top["other"]
    assert rest.evaluate_all(CELLS) == ([cells(f"{other['keys']} more", other)] if other["keys"] else [])
    coverage = top["meta"]["coverage"]
    note = shown.page.locator(".panel", has=body).locator(".note")
    expect(note).to_have_text("of stored lines" if coverage["lines"] == "stored" else "")
    lines = counted(shown.lines, coverage)
    named = {one["key"] for one in top["data"]}
    rest_of = [line for line in lines if key_of(line) not in named]
    assert (other["keys"], other["requests"]) == (len(set(map(key_of, rest_of))), len(rest_of))
    assert other["errors"] == sum(line.status >= 400 for line in rest_of)


def cells(name: str, one: dict[str, Any]) -> list[str]:
    """A row of a ranking."""
    requests, errors = written.count(one["requests"]), written.percent(one["error_rate"])
    return [name, requests, errors, written.latency(one["p95_latency"])]


def test_how_many_lines_were_rejected_is_said_above_the_page_and_leads_to_them(watched: Watched, site: Site) -> None:
    page = watched.open(site.url)
    link = page.get_by_role("link", name=re.compile("rejected$"))
    expect(link).to_have_text(f"{ask(site, '/overview?range=hour')['ledger']['rejected']} rejected")
    expect(link).to_have_text(f"{REJECTED} rejected")
    link.click()
    expect(page).to_have_url(re.compile("/pipeline#letters$"))
    expect(page.locator(".letter")).to_have_count(REJECTED)


def test_each_hop_of_the_way_is_drawn_as_the_api_has_it(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/pipeline?live=0")
    hops = {hop["name"]: hop for hop in ask(site, "/pipeline/status")["hops"]}
    drawn = page.locator(".hop")
    expect(drawn).to_have_count(len(hops))
    for one, (name, hop) in zip(drawn.all(), hops.items(), strict=True):
        expect(one.get_by_role("heading")).to_have_text(re.compile(f"^{name}"))
        expect(one).to_have_class(re.compile(f"is-{hop['state']}"))
        expect(one.locator(".hop-rate")).to_have_text(speed(hop))
        assert lines_of(one) == ("" if hop["lines_total"] is None else f"{written.count(hop['lines_total'])} lines")
        expect(one.locator(".hop-waiting")).to_have_text(waiting(hop))
    received, kept = len(site.lines) + REJECTED, sum(line.kept for line in site.lines)
    assert {name: lines_of(drawn.nth(list(hops).index(name))) for name in ("consumer", "workers", "database")} == {
        "consumer": f"{received:,} lines",
        "workers": f"{received:,} lines",
        "database": f"{kept:,} lines",
    }


def lines_of(hop: Locator) -> str:
    """How many lines went through a hop, as it says."""
    return hop.locator(".hop-total").inner_text().strip()


def speed(hop: dict[str, Any]) -> str:
    """How fast lines go through a hop, or how much of its own it keeps."""
    if hop["lines_per_second"] is not None:
        return f"{written.rate(hop['lines_per_second'])} lines/s"
    unit, number = hop["waiting_unit"], hop["waiting"]
    return f"{written.count(number)} {unit}" if unit and number is not None else "\u2013"


def waiting(hop: dict[str, Any]) -> str:
    """What waits before a hop over lines that were all counted: nothing, as far as it is known."""
    if hop["waiting"] is None:
        return "waiting: not known" if hop["waiting_unit"] else ""
    return "nothing waits" if hop["lines_per_second"] is None else f"no {hop['waiting_unit']} waiting"


def ask(site: Site, path: str) -> Any:
    """What the API says."""
    with urlopen(site.url + path, timeout=10) as answer:
        return json.load(answer)
