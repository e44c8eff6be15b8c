"""`tally logs`: stored lines, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cli.ask import Query, WebApi, understood
from cli.inert import inert
from cli.stats import CLASS_STYLES
from cli.table import Cell, Column, Paper, number, word

COLUMNS: Final = (
    Column("time", right=False, fixed=24),
    Column("status", right=False, fixed=3),
    Column("latency", fixed=9),
    Column("ip", right=False, fixed=15),
    Column("method", right=False, fixed=6),
    # Last: it may be longer than the rest of a terminal's line, and run the other way.
    Column("path", right=False),
)
MOST: Final = 1000


def run(web: WebApi, query: Query, follow: bool, as_json: bool, paper: Paper) -> int:
    """Shows a page of lines, or with `follow` every page from there on. Raises as `WebApi.get`."""
    asked, shown = dict(query), 0
    if follow:
        asked["limit"] = asked.get("limit") or MOST
    while True:
        body = web.get("/logs", asked)
        answer = understood(body, "data", "meta")
        if as_json:
            paper.json(body)
        else:
            paper.lines(map(row, answer["data"]), COLUMNS)
        shown += len(answer["data"])
        cursor = answer["meta"].get("next")
        if not follow or not cursor:
            break
        asked["cursor"] = cursor
        # A cursor knows where it stands.
        asked.pop("offset", None)
    if not as_json:
        paper.say(_how_many(shown, answer["meta"], more=bool(cursor)))
    return 0


def row(line: Mapping[str, Any]) -> list[Cell]:
    """A line's cells, in the order of COLUMNS."""
    status = str(line["Status"])
    return [
        _time(line["Timestamp"]),
        word(status, CLASS_STYLES.get(status[:1], "")),
        number(line["LatencyMs"], " ms"),
        word(line["IP"]),
        word(line["Method"]),
        word(line["Path"]),
    ]


def _time(said: str) -> Cell:
    """As said for programs, and to the millisecond for people, so that one is as wide as another."""
    whole, _, fraction = said.removesuffix("Z").partition(".")
    return Cell(inert(said), inert(f"{whole}.{fraction[:3]:0<3}Z"))


def _how_many(shown: int, meta: Mapping[str, Any], more: bool) -> str:
    total = meta.get("total")
    least = "at least " if meta.get("total_is") == "at_least" else ""
    of = f" of {least}{total:,}" if isinstance(total, int) and total > shown else ""
    return f"{shown:,}{of} lines, newest first, times in UTC" + ("; --all shows every one" if more else "")
