"""Files: each panel's numbers as CSV are its table's, and an export has each line that the page is about."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site
from tests.browser.shown import holds, near, number
from tests.browser.watched import Watched

CELLS = "rows => rows.map(row => [...row.cells].map(cell => cell.title || cell.textContent))"


@pytest.mark.parametrize(
    ("path", "panels"),
    [
        ("/?range=24h&live=0&tables=cards,requests,latency,routes,addresses,statuses,methods", 7),
        ("/pipeline?live=0&tables=hops,ledger,processes,letters,rules", 6),
    ],
)
def test_each_panels_file_has_what_its_table_shows(watched: Watched, site: Site, path: str, panels: int) -> None:
    page = watched.open(site.url + path)
    tables = page.locator(".panel", has=page.locator(".data-table"))
    expect(tables).to_have_count(panels)
    for panel in tables.all():
        heads, *rows = panel.locator(".data-table tr").evaluate_all(CELLS)
        button = panel.get_by_role("button", name=re.compile(" as CSV$"))
        (columns, *cells) = csv.reader(io.StringIO(downloaded(page, button)))
        assert [head.split(" ")[0] for head in columns][: len(heads) - 1] == [head.split(" ")[0] for head in heads][:-1]
        assert [[value(cell) for cell in row] for row in rows] == [[rounded(cell) for cell in row] for row in cells]


@pytest.mark.parametrize("kind", ["CSV", "NDJSON"])
def test_an_export_has_each_line_that_the_page_is_about(watched: Watched, site: Site, kind: str) -> None:
    page = watched.open(f"{site.url}/?range=24h&q=status:404")
    text = downloaded(page, page.locator("#lines").get_by_role("link", name=kind, exact=True))
    lines = list(csv.DictReader(io.StringIO(text))) if kind == "CSV" else list(map(json.loads, text.splitlines()))
    expected = [line for line in site.lines if line.kept and holds(line, "status", "404")]
    assert sorted((line["IP"], line["Path"], int(line["Status"]), int(line["LatencyMs"])) for line in lines) == sorted(
        (line.ip, line.path, line.status, line.latency_ms) for line in expected
    )


def downloaded(page: Page, what: Locator) -> str:
    """The text of the file that a click brings."""
    with page.expect_download() as download:
        what.click()
    return download.value.path().read_bytes().decode()


def value(cell: str) -> Any:
    """What a cell of a table says."""
    return number(cell.strip())


def rounded(cell: str) -> Any:
    """What a cell of a file says, as a table shows it."""
    said = number(cell) if cell else None
    return near(said) if isinstance(said, float) else said
