"""The rules of `pipeline.rules` for columns of paths. Pure; no Python loop runs over the paths."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from pipeline.rules import EXTENSION, HEX, MAX_SEGMENTS, NAME, REST, RULES, Rule

_FIRST_TEN = f"(?s)^((?:/[^/]*){{{MAX_SEGMENTS}}})/.*"


def by_rules(paths: pl.Series) -> pl.Series:
    """The templates of a column of paths without query strings."""
    paths = paths.str.replace(_FIRST_TEN, f"${{1}}/{REST}")
    suspects = paths.str.contains(_SUSPECT).arg_true()
    # Each segment gets both slashes to itself, so that every one can match on its own.
    spaced = paths.gather(suspects).str.replace_all("/", "//", literal=True) + "/"
    for stage in _STAGES:
        concerned = spaced.str.contains(stage.sign).arg_true()
        if len(concerned):
            spaced = spaced.scatter(concerned, _applied(stage.steps, spaced.gather(concerned)))
    return paths.scatter(suspects, spaced.str.head(-1).str.replace_all("//", "/", literal=True))


def _applied(steps: tuple[tuple[str, str], ...], spaced: pl.Series) -> pl.Series:
    column = pl.col("spaced")
    for pattern, replacement in steps:
        column = column.str.replace_all(pattern, replacement)
    return spaced.to_frame("spaced").select(column).to_series()


def _whole(rule: Rule) -> tuple[str, str]:
    return f"/{rule.whole}/", f"/{{{rule.name}}}/"


def _with_extension(rule: Rule) -> tuple[str, str]:
    return f"/{NAME}{rule.stem}{EXTENSION}/", f"/${{1}}{{{rule.name}}}${{2}}/"


def _with_inside(rule: Rule) -> tuple[tuple[str, str], ...]:
    """The two patterns of a rule one after the other: NULs, which no path has, hold what the first one found."""
    return (
        (f"/({rule.whole})/", "/\0${1}\0/"),
        (f"/{NAME}({rule.stem}){EXTENSION}/", "/${1}\0${2}\0${3}/"),
        (f"\0[^\0/]*(?:{rule.inside})[^\0/]*\0", f"{{{rule.name}}}"),
        ("\0", ""),
    )


class _Stage(NamedTuple):
    """Steps for the paths that have `sign`, a quick pattern without which none of the steps finds anything."""

    sign: str
    steps: tuple[tuple[str, str], ...]


_EMAIL, ID, _UUID, _DATE, _DIGITS, _MIXED, _OVERLONG = RULES
_SUSPECT = f"[0-9@]|{HEX}{{8}}|{_OVERLONG.stem}"
# The order is that of the other form, save where no segment could take both of two steps.
_STAGES = (
    _Stage("[0-9]/", (_whole(ID),)),
    _Stage(r"[0-9]\.", (_with_extension(ID),)),
    _Stage("@|%40", (_whole(_EMAIL), _with_extension(_EMAIL))),
    _Stage(f"[0-9]{{4}}-|{HEX}{{8}}", (_whole(_UUID), _whole(_DATE), _whole(_DIGITS))),
    _Stage(
        f"[0-9]{{4}}-.*\\.|{HEX}{{8}}.*\\.", (_with_extension(_UUID), _with_extension(_DATE), _with_extension(_DIGITS))
    ),
    _Stage("[A-Za-z0-9_~=-]{20}", _with_inside(_MIXED)),
    _Stage(_OVERLONG.stem, (_with_extension(_OVERLONG), _whole(_OVERLONG))),
)
