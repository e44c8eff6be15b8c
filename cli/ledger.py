"""`tally ledger`: where every line is, by day."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cli.ask import Query, WebApi, understood
from cli.table import Cell, Column, Paper, number, word

_CLASSES: Final = ("received", "stored", "discarded", "rejected", "duplicate", "lost", "pending")


def run(web: WebApi, query: Query, as_json: bool, paper: Paper) -> int:
    """Shows the ledger; returns 1 where it does not balance. Raises as `WebApi.get`.

    As JSON, the two answers' keys in one object: `/ledger`, and `data` with the days of `/ledger/days`.
    """
    # Two answers, and lines come between them: the total is that of the days, which are of one moment.
    days = understood(web.get("/ledger/days", query), "data", "balanced")
    whole = understood(web.get("/ledger", query), "not_planned", "lost_uncounted", "balanced")
    balanced = bool(days["balanced"] and whole["balanced"])
    if as_json:
        paper.json(msgspec.json.encode({**whole, **days, "balanced": balanced}))
        return 0 if balanced else 1
    _days(paper, days["data"])
    _partitions(paper, "not planned yet", whole["not_planned"])
    _partitions(paper, "lost, of how many lines nobody knows", whole["lost_uncounted"])
    paper.say(_verdict(balanced, days["data"]))
    return 0 if balanced else 1


def _days(paper: Paper, days: list[dict[str, Any]]) -> None:
    columns = [Column("day (UTC)", right=False), *map(Column, _CLASSES), Column("balanced")]
    total = {name: sum(day[name] for day in days) for name in _CLASSES}
    balanced = all(day["balanced"] for day in days)
    rows = [_row(day["day"], day, day["balanced"]) for day in days]
    paper.table(columns, rows, last=_row("total", total, balanced))


def _row(name: str, sums: dict[str, Any], balanced: bool) -> list[Cell]:
    said = word("yes", "green") if balanced else word("NO", "bold red")
    return [word(name), *(_count(one, sums[one]) for one in _CLASSES), said]


def _count(name: str, lines: int) -> Cell:
    return number(lines, style="red" if name == "lost" and lines else "")


def _partitions(paper: Paper, what: str, partitions: list[dict[str, Any]]) -> None:
    columns = [Column("topic", right=False), Column("partition"), Column(what)]
    rows = [[word(one["topic"]), number(one["partition"]), number(one["records"])] for one in partitions]
    if rows:
        paper.apart()
        paper.table(columns, rows)


def _verdict(balanced: bool, days: list[dict[str, Any]]) -> str:
    if balanced:
        return "it balances: every line received is of exactly one class"
    wrong = [f"{day['day']} by {_difference(day):+,}" for day in days if not day["balanced"]]
    return f"IT DOES NOT BALANCE: {', '.join(wrong) or 'the ledger as a whole'} (received less all classes)"


def _difference(day: dict[str, Any]) -> int:
    return int(day["received"] - sum(day[name] for name in _CLASSES[1:]))
