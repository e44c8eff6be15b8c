"""The first page over a window that does not move, with the API and the lines of the window beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from pipeline.moment import rfc3339
from tests.browser.conftest import Site
from tests.browser.watched import Watched
from tests.stores import Seen, floor

Row = dict[str, Any]


class Shown:
    """The page, filtered to values by their fields where there are any, and what there is to compare it with."""

    def __init__(self, watched: Watched, site: Site, filters: Mapping[str, str] | None = None) -> None:
        """The window is of whole five minutes, of which the rollups know everything."""
        now = datetime.now(UTC)
        self.start = floor(now - timedelta(hours=19), 300)
        self.end = floor(now - timedelta(minutes=1), 300) - timedelta(milliseconds=1)
        self.site = site
        self.filters = dict(filters or {})
        search = " ".join(f"{field}:{value}" for field, value in self.filters.items())
        self.page = watched.open(f"{site.url}/?{urlencode(self._window() | ({'q': search} if search else {}))}")
        expect(self.page.locator(".card-value").first).not_to_have_text("\u2013")
        self.every = [line for line in site.lines if all(holds(line, *one) for one in self.filters.items())]
        self.lines = [line for line in self.every if self.start <= line.at <= self.end]

    def ask(self, path: str, **parameters: str) -> Any:
        """What the API says of the same window and filters."""
        query = urlencode({**self._window(), **self.filters, **parameters})
        with urlopen(f"{self.site.url}{path}?{query}", timeout=10) as answer:
            return json.load(answer)

    def table(self, panel: str) -> list[Row]:
        """A panel's numbers as it shows them as a table: rows by the names of their columns."""
        button = self.page.get_by_role("button", name=re.compile(f"^Show {panel}.* as table$"))
        button.click()
        shown = self.page.get_by_role("region", name=re.compile(f"^{panel}.* as table$"))
        expect(shown).to_be_visible()
        texts = shown.locator("tr").evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
        button.click()
        expect(shown).to_have_count(0)
        return [dict(zip(texts[0], map(number, row), strict=True)) for row in texts[1:]]

    def _window(self) -> dict[str, str]:
        return {"from": rfc3339(self.start), "to": rfc3339(self.end)}


def holds(line: Seen, field: str, value: str) -> bool:
    """Whether a term of a search is true of a line: `status:4xx,503`, `route:/cart`, `path:/ca`, `latency:>=20`."""
    if field == "path":
        return value in line.path
    if field == "latency":
        return line.latency_ms >= int(value.removeprefix(">="))
    if field == "status":
        return not {str(line.status), f"{line.status // 100}xx"}.isdisjoint(value.split(","))
    return getattr(line, field) in value.split(",")


def counted(lines: Iterable[Seen], coverage: Mapping[str, Any]) -> list[Seen]:
    """Those of the lines that an answer is about: all, or where there is no rollup for it the stored ones."""
    return [line for line in lines if line.kept or coverage["lines"] == "all"]


def number(text: str) -> Any:
    """A cell's number, None for a dash, and text as it is."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None if text == "\u2013" else text


def near(value: float | None) -> Any:
    """A number as a table rounds it."""
    return None if value is None else pytest.approx(value, abs=5.1e-5)
