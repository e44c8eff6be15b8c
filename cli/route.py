"""What paths are counted as, and why: for a person, a pipe or a program."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from cli.table import Column, Paper, word
from pipeline import grammar
from pipeline.errors import LineFault
from pipeline.routes import Routes
from pipeline.settings import Settings

_COLUMNS = (Column("path", right=False), Column("route", right=False), Column("rule", right=False))


class Answer(msgspec.Struct, frozen=True):
    """One path, its route, and how it came to it."""

    path: str
    route: str
    rule: str


def run(settings: Settings, paths: Sequence[str], as_json: bool) -> int:
    """Prints an answer for each path: a table, or one JSON object a line.

    Raises click.UsageError for what no line could have as its path, ConfigurationError for ROUTES that make no sense.
    """
    routes = Routes.of(settings.routes)
    for path in paths:
        _check(path)
    answers = [Answer(path, *routes.template(path)) for path in paths]
    paper = Paper()
    if as_json:
        for answer in answers:
            paper.json(msgspec.json.encode(answer))
    else:
        paper.table(_COLUMNS, [[word(field) for field in msgspec.structs.astuple(answer)] for answer in answers])
    return 0


def _check(path: str) -> None:
    if " " in path:
        raise click.UsageError(f"a path has no space in it (in a line it is %20), found {path!a}")
    try:
        grammar.parse(f"1970-01-01T00:00:00Z 127.0.0.1 GET {path} 200 0ms")
    except LineFault as fault:
        raise click.UsageError(str(fault)) from None
