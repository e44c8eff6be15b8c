"""Every number of the page about the pipeline is the API's number, and a recount's."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.seeded import HOSTILE, REJECTED
from tests.browser.shown import number
from tests.browser.watched import Watched

CLASSES = ("stored", "discarded", "rejected", "duplicate", "lost", "pending")


def ask(site: Site, path: str) -> Any:
    """What the API says."""
    with urlopen(site.url + path, timeout=10) as answer:
        return json.load(answer)


def table(page: Page, panel: str) -> list[list[Any]]:
    """The rows of a panel that is shown as a table."""
    shown = page.get_by_role("region", name=f"{panel} as table")
    expect(shown.locator("tbody tr").first).to_be_visible()
    rows = shown.locator("tbody tr")
    cells = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.title || cell.textContent))")
    return [[number(cell) for cell in row] for row in cells]


@pytest.fixture
def tables(watched: Watched, site: Site) -> Page:
    """The page with a table in place of every picture."""
    return watched.open(f"{site.url}/pipeline?live=0&tables=hops,ledger,processes,letters,rules")


def test_each_panel_has_a_table_and_a_file(watched: Watched, site: Site) -> None:
    for path in ("/", "/pipeline"):
        page = watched.open(site.url + path)
        panels = page.locator(".panel", has=page.locator(".panel-body > :not(.nothing)"))
        expect(panels).to_have_count(7 if path == "/" else 6)
        for panel in panels.all():
            name = panel.locator("h2").inner_text()
            if name not in ("Lines", "Ledger by day"):  # tables themselves
                expect(panel.get_by_role("button", name=re.compile("^Show .* as table$"))).to_be_visible()
            expect(panel.get_by_role("button", name=re.compile(" as CSV$"))).to_be_visible()


def test_the_hops_are_the_apis_and_a_recounts(tables: Page, site: Site) -> None:
    told = table(tables, "The way of a line")
    hops = ask(site, "/pipeline/status")["hops"]
    names = ("name", "state", "lines_total", "lines_per_second", "waiting", "waiting_unit", "lag_seconds")
    assert told == [[hop[name] for name in names] for hop in hops]
    totals = {hop["name"]: hop["lines_total"] for hop in hops}
    received = len(site.lines) + REJECTED
    assert (totals["consumer"], totals["workers"]) == (received, received)
    assert totals["database"] == sum(line.kept for line in site.lines)


def test_the_ledger_is_the_apis_and_a_recounts(tables: Page, site: Site) -> None:
    said = ask(site, "/ledger")
    assert dict(table(tables, "Ledger")) == {name: said[name] for name in ("received", *CLASSES)}
    stored = sum(line.kept for line in site.lines)
    known = {"stored": stored, "discarded": len(site.lines) - stored, "rejected": REJECTED}
    assert {name: said[name] for name in CLASSES} == dict.fromkeys(CLASSES, 0) | known
    assert said["received"] == len(site.lines) + REJECTED

    days = ask(site, "/ledger/days")["data"]
    told = table(tables, "Ledger by day")
    assert [row[1:-1] for row in told] == [
        [day["received"], *(day[name] for name in CLASSES)] for day in reversed(days)
    ]
    assert [row[0] for row in told] == [day["day"] for day in reversed(days)]
    assert sum(day["received"] for day in days) == said["received"]


def test_the_ledgers_equation_shows_the_same(watched: Watched, site: Site) -> None:
    page = watched.open(f"{site.url}/pipeline?live=0")
    said = ask(site, "/ledger")
    for name in CLASSES:
        expect(page.locator(f".class-of.{name} strong")).to_have_attribute("title", f"{said[name]:,}")
    expect(page.locator(".received strong")).to_have_attribute("title", f"{said['received']:,}")
    expect(page.locator(".equation .balance")).to_have_text("balances to the line")


def test_the_processes_are_the_apis(tables: Page, site: Site) -> None:
    told = table(tables, "Processes")
    processes = ask(site, "/pipeline/status")["processes"]
    assert [row[:3] for row in told] == [[one["name"], one["host"], one["pid"]] for one in processes]
    assert ("webapi", "yes") in [(row[0], row[3]) for row in told]


def test_the_dead_letters_are_the_apis_and_those_that_there_are(tables: Page, site: Site) -> None:
    told = table(tables, "Dead letters")
    letters = ask(site, "/dead-letters")
    assert [(row[0], row[2], row[3]) for row in told] == [
        (one["id"], one["reason"], one["detail"]) for one in letters["data"]
    ]
    assert [row[2] for row in told] == ["status", "ip", "time"]
    assert {row[8] for row in told} == set(HOSTILE[:REJECTED])
    reasons = tables.get_by_role("list", name="Reasons").get_by_role("button")
    shown = dict(text.rsplit(maxsplit=1) for text in reasons.all_inner_texts())
    assert {name: int(text) for name, text in shown.items()} == letters["meta"]["by_reason"]
    expect(tables.locator("#letters .note")).to_have_text(str(letters["meta"]["total"]))


def test_what_another_rule_would_store_is_the_apis_and_a_recounts(tables: Page, site: Site) -> None:
    tables.get_by_label("DISCARD_STATUS").fill("404,5xx")
    tables.get_by_role("button", name="Try").click()
    said = ask(site, "/rules/preview?discard_status=404,5xx")
    rows = [[one[name] for name in ("status", "requests", "stored", "would_be_stored")] for one in said["by_status"]]
    expect(tables.get_by_role("region", name=re.compile("^What another rule.* as table$"))).to_contain_text("503")
    tables.wait_for_load_state("networkidle")
    assert table(tables, "What another rule would store") == rows
    every = Counter(line.status for line in site.lines)
    kept = Counter(line.status for line in site.lines if line.kept)
    assert rows == [
        [status, every[status], kept[status], every[status] if status < 400 else 0] for status in sorted(every)
    ]
    assert said["proposed"]["stored"] == sum(line.status < 400 for line in site.lines)
    tables.get_by_role("button", name="Show What another rule would store as table").click()
    for shown, of in zip(tables.locator(".rules .card-value").all(), ("present", "proposed"), strict=True):
        expect(shown).to_have_text(f"{said[of]['stored']:,}")
