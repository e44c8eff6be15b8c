"""The rules by which a segment of a path becomes `{name}` (`pipeline.routes` says which), in two forms. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import polars as pl

from pipeline.patterns import shown

MAX_SEGMENTS, _MAX_SEGMENT, _MAX_EXTENSION = 10, 48, 6
REST: Final = "{rest}"


class Rule(NamedTuple):
    """What becomes `{name}`: a segment that is all `whole`, or `stem` and an extension, with `inside` somewhere in it.

    The patterns are in the dialect that Python and Rust have in common, and match no slash. `words` are for a person.
    """

    name: str
    words: str
    whole: str
    stem: str
    inside: str = ""


def _rule(name: str, words: str, pattern: str, inside: str = "") -> Rule:
    return Rule(name, words, pattern, pattern, inside)


_HEX = "[0-9A-Fa-f]"
_LONG = _MAX_SEGMENT + 1

RULES: Final = (
    # A domain that starts with one digit is a picture's scale or a package's version more often than a domain.
    _rule("email", "an e-mail address", r"[^/@]+(?:@|%40)(?:[A-Za-z]|[0-9]{2})[A-Za-z0-9.-]*\.[A-Za-z]{2,}"),
    _rule("id", "a number", "-?[0-9]+"),
    _rule("uuid", "a UUID", f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"),
    _rule(
        "date",
        "a date",
        "[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
        r"(?:T[0-9](?:[0-9:+-]|\.[0-9]|%3[Aa]|%2[Bb])*Z?)?",
    ),
    _rule("hex", "8 or more hexadecimal digits", f"{_HEX}{{8,}}"),
    _rule("token", "20 or more characters, mixed", "[A-Za-z0-9_~=-]{20,}", inside="[A-Za-z][0-9]|[0-9][A-Za-z]"),
    # What is too long without its extension is so with it, and the other way round.
    Rule("token", f"longer than {_MAX_SEGMENT}", f"[^/]{{{_LONG},}}", f"[^/]{{{_LONG - _MAX_EXTENSION},}}"),
)
_OVERLONG = RULES[-1]

_NAME, _EXTENSION = r"((?:[^/.@0-9]{1,24}\.)?)", r"(\.[A-Za-z][A-Za-z0-9]{0,4})"
_FIRST_TEN = f"(?s)^((?:/[^/]*){{{MAX_SEGMENTS}}})/.*"


# --- The rules, a segment at a time ------------------------------------------------------------------------------


def templated(text: str) -> tuple[str, str]:
    """What becomes of one segment, and why; no reason where it stays."""
    for rule in RULES[:-1]:
        if re.fullmatch(rule.whole, text) and re.search(rule.inside, text):
            return _because(rule, text)
    for rule in RULES:
        parts = re.fullmatch(f"{_NAME}({rule.stem}){_EXTENSION}", text)
        if parts and re.search(rule.inside, parts[2]):
            return _because(rule, parts[2], parts[1], parts[3])
    return _because(_OVERLONG, text) if re.fullmatch(_OVERLONG.whole, text) else (text, "")


def _because(rule: Rule, text: str, before: str = "", after: str = "") -> tuple[str, str]:
    return f"{before}{{{rule.name}}}{after}", f"{{{rule.name}}}: {shown(text)} is {rule.words}"


# --- The rules, in columns ---------------------------------------------------------------------------------------


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
    return f"/{_NAME}{rule.stem}{_EXTENSION}/", f"/${{1}}{{{rule.name}}}${{2}}/"


def _with_inside(rule: Rule) -> tuple[tuple[str, str], ...]:
    """The two patterns of a rule one after the other: NULs, which no path has, hold what the first one found."""
    return (
        (f"/({rule.whole})/", "/\0${1}\0/"),
        (f"/{_NAME}({rule.stem}){_EXTENSION}/", "/${1}\0${2}\0${3}/"),
        (f"\0[^\0/]*(?:{rule.inside})[^\0/]*\0", f"{{{rule.name}}}"),
        ("\0", ""),
    )


class _Stage(NamedTuple):
    """Steps for the paths that have `sign`, a quick pattern without which none of the steps finds anything."""

    sign: str
    steps: tuple[tuple[str, str], ...]


_EMAIL, ID, _UUID, _DATE, _DIGITS, _MIXED = RULES[:-1]
_TOO_LONG = f"[^/]{{{_LONG - _MAX_EXTENSION}}}"
_SUSPECT = f"[0-9@]|{_HEX}{{8}}|{_TOO_LONG}"
# The order is that of the other form, save where no segment could take both of two steps.
_STAGES = (
    _Stage("[0-9]/", (_whole(ID),)),
    _Stage(r"[0-9]\.", (_with_extension(ID),)),
    _Stage("@|%40", (_whole(_EMAIL), _with_extension(_EMAIL))),
    _Stage(f"[0-9]{{4}}-|{_HEX}{{8}}", (_whole(_UUID), _whole(_DATE), _whole(_DIGITS))),
    _Stage(
        f"[0-9]{{4}}-.*\\.|{_HEX}{{8}}.*\\.", (_with_extension(_UUID), _with_extension(_DATE), _with_extension(_DIGITS))
    ),
    _Stage("[A-Za-z0-9_~=-]{20}", _with_inside(_MIXED)),
    _Stage(_TOO_LONG, (_with_extension(_OVERLONG), _whole(_OVERLONG))),
)
