"""A path as its route template: what paths are counted by, so that `/users/41` and `/users/42` are one route.

The query string and the fragment go. Then ROUTES decides, the first pattern that fits; else each segment is looked at
on its own, and by the first of RULES that it matches as a whole it becomes

    {email}  `@` or `%40` between text and a dotted domain; not `logo@2x.png`, not `vue@2.6.14`
    {id}     a number, also a negative one
    {uuid}   with hyphens, in any case
    {date}   YYYY-MM-DD, also with `T` and a time
    {hex}    8 or more hexadecimal digits
    {token}  20 or more of `A-Za-z0-9_~=-` with a letter next to a digit: what is random has that, and
             `ten-things-to-do-in-2025` has not
    {token}  whatever is longer than 48 characters

An extension stays (a dot, a letter, at most four more letters or digits): `42.json` is `{id}.json`. So does a short
name without digits or dots before it, as bundlers write it: `app.4f3a9c1b.js` is `app.{hex}.js`. Case, a slash at the
end and repeated slashes stay: they may be routes of their own, and are often the very thing to be seen. The eleventh
segment and all that follow are `{rest}`; empty ones count. Nothing is decoded.

There are two forms, held equal by tests: `template` says why, `templates` is for columns. Neither remembers anything,
so no number of distinct paths fills memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from pipeline.errors import ConfigurationError

MAX_TEMPLATE: Final = 500
"""Characters. The rules give at most 10 segments of 48 with their slashes, and `/{rest}`: 497. ROUTES is held to it."""

OTHER: Final = "other"
"""What a route over the cap is counted as; no template is this, since each starts with a slash."""

_SEGMENTS, _SEGMENT, _EXTENSION = 10, 48, 6


class Rule(NamedTuple):
    """What a whole segment matches to become `{name}`; `stem` is the same for what stands before an extension."""

    name: str
    segment: str
    stem: str
    words: str


class Explained(NamedTuple):
    """A path's template and, for a person, which rule made it."""

    template: str
    rule: str


# All patterns are in the dialect that Python and Rust have in common. It cannot say "20 or more, and somewhere in it",
# so this one says where.
_CHARACTER, _MIXED = "[A-Za-z0-9_~=-]", "(?:[A-Za-z][0-9]|[0-9][A-Za-z])"
_RANDOM = "|".join(f"{_CHARACTER}{{{n}}}{_MIXED}{_CHARACTER}{{{18 - n},}}" for n in range(18))
_RANDOM = f"(?:{_RANDOM}|{_CHARACTER}{{18,}}{_MIXED}{_CHARACTER}*)"
_EMAIL = r"[^/@]+(?:@|%40)(?:[A-Za-z]|[0-9]{2})[A-Za-z0-9.-]*\.[A-Za-z]{2,}"
_HEX = "[0-9A-Fa-f]"
_UUID = f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_DAY = "[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_DATE = rf"{_DAY}(?:T[0-9](?:[0-9:%ABab+-]|\.[0-9])*Z?)?"


def _rule(name: str, pattern: str, words: str) -> Rule:
    return Rule(name, pattern, pattern, words)


RULES: Final = (
    _rule("email", _EMAIL, "an e-mail address"),
    _rule("id", "-?[0-9]+", "a number"),
    _rule("uuid", _UUID, "a UUID"),
    _rule("date", _DATE, "a date"),
    _rule("hex", f"{_HEX}{{8,}}", "8 or more hexadecimal digits"),
    _rule("token", _RANDOM, "20 or more characters, a letter next to a digit"),
    Rule(
        "token",
        f"[^/]{{{_SEGMENT + 1},}}",
        f"[^/]{{{_SEGMENT + 1 - _EXTENSION},}}",
        f"longer than {_SEGMENT} characters",
    ),
)

_AROUND = (r"((?:[^/.0-9]{1,24}\.)?)", r"(\.[A-Za-z][A-Za-z0-9]{0,4})")


class _Step(NamedTuple):
    """One look at a segment: whole, or (`around`) with what stays before and after."""

    rule: Rule
    pattern: str
    around: bool


_STEPS: Final = (
    *(_Step(rule, rule.segment, False) for rule in RULES[:-1]),
    *(_Step(rule, f"{_AROUND[0]}{rule.stem}{_AROUND[1]}", True) for rule in RULES),
    _Step(RULES[-1], RULES[-1].segment, False),
)
# What no step could match is most of what there is.
_SUSPECT = f"[0-9@]|{_HEX}{{8}}|[^/]{{{_SEGMENT + 1 - _EXTENSION}}}"
_QUERY = "(?s)[?#].*"
_TOO_MANY = f"(?s)^((?:/[^/]*){{{_SEGMENTS}}})/.*$"


@dataclass(frozen=True)
class Pattern:
    """A pattern of ROUTES, `text`, which is its template too, and the regular expression that a whole path matches."""

    text: str
    regex: str


@dataclass(frozen=True)
class Routes:
    """The patterns of ROUTES, in their order, and after them the rules."""

    patterns: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, patterns: str) -> Routes:
        """The routes of a ROUTES setting: patterns such as `/shop/{slug}/reviews`, between commas or white space.

        `{name}` is one whole segment, not empty; a last `{name*}` is all that is left; everything else is literal.
        Raises ConfigurationError naming the pattern that makes no sense, and why.
        """
        return cls(tuple(_pattern(text) for text in re.split(r"[,\s]+", patterns) if text))

    def templates(self, paths: pl.Series) -> pl.Series:
        """The templates of `paths` (String), in their order."""
        distinct = paths.unique()
        codes = paths.cast(pl.Enum(distinct.drop_nulls())).to_physical()
        return self._distinct(distinct.drop_nulls()).gather(codes).alias(paths.name)

    def _distinct(self, paths: pl.Series) -> pl.Series:
        path = pl.col("path")
        chosen = pl.coalesce(
            *(pl.when(path.str.contains(p.regex)).then(pl.lit(p.text)) for p in self.patterns),
            pl.lit(None, pl.String),
        )
        frame = paths.to_frame("path").with_columns(path.str.replace(_QUERY, ""))
        frame = frame.with_columns(chosen.alias("chosen"))
        rest = pl.when(path.str.count_matches("/", literal=True) > _SEGMENTS)
        frame = frame.with_columns(rest.then(path.str.replace(_TOO_MANY, "${1}/{rest}")).otherwise(path))
        suspect = path.str.contains(_SUSPECT) & pl.col("chosen").is_null()
        spaced = path.str.replace_all("/", "//", literal=True) + "/"
        for step in _STEPS:
            spaced = spaced.str.replace_all(
                f"/{step.pattern}/", f"/${{1}}{{{step.rule.name}}}${{2}}/" if step.around else f"/{{{step.rule.name}}}/"
            )
        undone = spaced.str.head(-1).str.replace_all("//", "/", literal=True)
        frame = frame.with_row_index()
        seen = frame.filter(suspect).select("index", undone.alias("seen"))
        frame = frame.join(seen, on="index", how="left", maintain_order="left")
        return frame.select(pl.coalesce("chosen", "seen", "path"))["chosen"]


def _pattern(text: str) -> Pattern:
    segments = text.split("/")[1:]
    regex = ""
    for segment in segments:
        if re.fullmatch(r"\{[a-z_][a-z0-9_]*\}", segment):
            regex += "/[^/]+"
        elif re.fullmatch(r"\{[a-z_][a-z0-9_]*\*\}", segment):
            regex += "/(?s:.*)"
        else:
            regex += "/" + re.escape(segment)
    if not text.startswith("/") or len(text) > MAX_TEMPLATE:
        raise ConfigurationError(f"ROUTES: {text!r}")
    return Pattern(text, f"^{regex}$")
