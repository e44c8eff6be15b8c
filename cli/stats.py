"""`tally stats`: a statistic as a table, a series as a bar chart, or the busiest of a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from rich.text import Text

from cli.ask import Query, WebApi, understood
from cli.bar import bar
from cli.inert import inert
from cli.table import NOTHING, Cell, Column, Paper, number, share, word

CLASS_STYLES: Final = {"1": "blue", "2": "green", "3": "cyan", "4": "yellow", "5": "red"}
# By scope.
_OF: Final = {"stored": "stored lines only, no discarded ones", "all": "all traffic, discarded lines too"}
# What a bar of latencies is as long as, the first that there is.
_BAR_OF_LATENCIES: Final = ("p95_latency", "avg_latency")


def one(web: WebApi, query: Query, as_json: bool, paper: Paper) -> int:
    """Shows `/stats`. Raises as `WebApi.get`."""
    body = web.get("/stats", query)
    if as_json:
        paper.json(body)
        return 0
    answer = understood(body, "type", "data", "meta")
    {"errors": _errors, "summary": _summary}.get(answer["type"], _values)(paper, answer)
    _say_what(paper, answer["meta"])
    return 0


def series(web: WebApi, query: Query, as_json: bool, paper: Paper) -> int:
    """Shows `/stats/series`: times on the left, bars, values on the right. Raises as `WebApi.get`."""
    body = web.get("/stats/series", query)
    if as_json:
        paper.json(body)
        return 0
    answer = understood(body, "metric", "data", "meta")
    points = answer["data"]
    names = list(dict.fromkeys(name for point in points for name in point if name != "time"))
    times = [point["time"] for point in points]
    shown = [Cell(inert(time), short) for time, short in zip(times, _times(times), strict=True)]
    rows = [
        [time, *(_cell(name, point.get(name)) for name in names)] for time, point in zip(shown, points, strict=True)
    ]
    columns = [Column("time (UTC)", right=False), *map(Column, names)]
    paper.table(columns, rows, bars=_bars([_parts(names, point) for point in points]))
    _say_what(paper, answer["meta"])
    return 0


def top(web: WebApi, query: Query, as_json: bool, paper: Paper) -> int:
    """Shows `/stats/top`, and what is not among them as a last row. Raises as `WebApi.get`."""
    body = web.get("/stats/top", query)
    if as_json:
        paper.json(body)
        return 0
    answer = understood(body, "by", "data", "meta")
    names = ("requests", "share", "errors", "error_rate", "p95_latency")

    def row(key: Cell, values: Mapping[str, Any]) -> list[Cell]:
        return [*(_cell(name, values.get(name)) for name in names), key]

    columns = [*map(Column, names), Column(answer["by"], right=False)]
    rows = [row(_key(answer["by"], one["key"]), one) for one in answer["data"]]
    other = answer.get("other")
    paper.table(columns, rows, last=row(word("(all others)"), other) if other and other.get("requests") else ())
    _say_what(paper, answer["meta"])
    return 0


def _values(paper: Paper, answer: Mapping[str, Any]) -> None:
    estimated = answer["meta"].get("estimated") or {}
    rows = [[word(name), _cell(name, value), _error(estimated.get(name))] for name, value in answer["data"].items()]
    paper.table([Column(answer["type"], right=False), Column("value"), Column("estimated")], rows)


def _errors(paper: Paper, answer: Mapping[str, Any]) -> None:
    found = sorted(answer["data"].items())
    rows = [[_key("status", status), number(requests)] for status, requests in found]
    bars = _bars([[(requests, _style(status))] for status, requests in found])
    paper.table([Column("status", right=False), Column("requests")], rows, bars=bars)


def _summary(paper: Paper, answer: Mapping[str, Any]) -> None:
    estimated = answer["meta"].get("estimated") or {}
    now, before = _flat(answer["data"]), _flat(answer["data"].get("previous") or {})
    rows = [
        [
            word(name),
            _cell(name, value),
            _cell(name, before.get(name)),
            _change(value, before.get(name)),
            _error(estimated.get(name)),
        ]
        for name, value in now.items()
    ]
    paper.table([Column("summary", right=False), *map(Column, ("value", "previous", "change", "estimated"))], rows)


def _flat(data: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in data.items() if name not in ("by_class", "previous")}
    return plain | (data.get("by_class") or {})


def _cell(name: str, value: float | None) -> Cell:
    if name in ("error_rate", "share"):
        return share(value)
    if name.endswith("latency"):
        return number(value, " ms")
    style = _style(name)
    return number(value, style=style if style and value else "")


def _change(value: float | None, before: float | None) -> Cell:
    """By how much of what it was; nothing to compare with is nothing to say."""
    if value is None or not before:
        return NOTHING
    change = value / before - 1
    return Cell(f"{change:.4f}", f"{'▲' if change > 0 else '▼' if change < 0 else '='} {abs(change):.1%}")


def _error(relative: float | None) -> Cell:
    return Cell("", "") if relative is None else Cell(str(relative), f"± {relative:.2%}", "dim")


def _key(by: str, key: object) -> Cell:
    return word(key, _style(str(key)) if by == "status" else "")


def _style(status: str) -> str:
    """The colour of a status (`404`) or of a class of them (`4xx`), none of anything else."""
    return CLASS_STYLES.get(status[:1], "") if len(status) == 3 else ""


def _parts(names: Sequence[str], point: Mapping[str, Any]) -> list[tuple[float, str]]:
    """What a point's bar is made of: its classes one after the other, or its one value."""
    for name in _BAR_OF_LATENCIES:
        if name in names:
            return [(point.get(name) or 0, "")]
    return [(point.get(name) or 0, _style(name)) for name in names]


def _bars(parts: Sequence[Sequence[tuple[float, str]]]) -> list[Callable[[int], Text]]:
    """A bar for each sum of parts, to one scale."""
    most = max((sum(value for value, _ in one) for one in parts), default=0)
    return [partial(bar, one, most) for one in parts]


def _times(times: Sequence[str]) -> list[str]:
    """As short as they may be and differ: without a day where all are of one, without seconds where there are none."""
    dates = {time[:10] for time in times}
    clock = slice(11, 16) if all(time[16:] == ":00Z" for time in times) else slice(11, 19)
    if all(time[11:] == "00:00:00Z" for time in times):
        return [inert(time[:10]) for time in times]
    return [inert(time[clock] if len(dates) == 1 else f"{time[5:10]} {time[clock]}") for time in times]


def _say_what(paper: Paper, meta: Mapping[str, Any]) -> None:
    window = meta.get("window") or {}
    said = [f"{window.get('from')} to {window.get('to')} (UTC)"] if window else []
    said += [_OF.get(meta["scope"], f"scope {meta['scope']}")] if meta.get("scope") else []
    said += [f"data to {meta['data_to']}, {meta.get('lag_seconds')} s behind"] if meta.get("data_to") else []
    coverage = meta.get("coverage") or {}
    if not coverage.get("complete", True):
        said.append(f"INCOMPLETE: only {coverage.get('share', 0):.0%} of it could be read in time")
    paper.say(", ".join(said))
