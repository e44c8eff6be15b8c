"""A path as its route template: what paths are counted by, so that `/users/41` and `/users/42` are one route. Pure.

The query string and the fragment go. Then ROUTES decides, the first pattern that fits; else each segment is looked at
on its own, and by the first of RULES that it matches as a whole it becomes

    {email}  text, `@` or `%40`, a dotted domain; not `logo@2x.png`, not `vue@2.6.14`
    {id}     a number, also a negative one
    {uuid}   with hyphens, in any case
    {date}   YYYY-MM-DD, also with `T` and a time
    {hex}    8 or more hexadecimal digits
    {token}  20 or more of `A-Za-z0-9_~=-`, a letter next to a digit among them: what is random has that, and
             `ten-things-to-do-in-2025` has not
    {token}  whatever is longer than 48 characters, or than 42 before an extension

What matches none as a whole may do so without its extension (a dot, a letter, at most four more letters or digits),
which stays: `42.json` is `{id}.json`. So does a name of up to 24 characters without digits and dots before it, as
bundlers write it: `app.4f3a9c1b.js` is `app.{hex}.js`. Case, a slash at the end and repeated slashes stay as well:
they may be routes of their own, and are often the very thing to be seen. The eleventh segment and all that follow are
`{rest}`; empty ones count. Nothing is decoded.

There are two forms, which tests hold equal: `template` says why, `templates` is for columns. Neither remembers
anything, so that no number of distinct paths fills memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

import polars as pl

from pipeline.errors import ConfigurationError

MAX_TEMPLATE: Final = 500
"""Characters. The rules give at most 10 segments of 48, their slashes and `/{rest}`: 497. ROUTES is held to it."""

OTHER: Final = "other"
"""What a route over the cap is counted as; no template is this, since each starts with a slash."""

OTHER_ID: Final = 0
"""Its id wherever routes have ids; no row of `route` has it."""

_MAX_SEGMENTS, _MAX_SEGMENT, _MAX_EXTENSION = 10, 48, 6
_REST = "{rest}"


class Rule(NamedTuple):
    """What becomes `{name}`: a segment that is all `whole`, or `stem` and an extension, with `inside` somewhere in it.

    The patterns are in the dialect that Python and Rust have in common, and match no slash. `words` are for a person.
    """

    name: str
    words: str
    whole: str
    stem: str
    inside: str = ""


class Explained(NamedTuple):
    """A path's template and, for a person, how it came to it."""

    template: str
    rule: str


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
_QUERY = "(?s)[?#].*"
_FIRST_TEN = f"(?s)^((?:/[^/]*){{{_MAX_SEGMENTS}}})/.*"

_WILD, _REST_OF_ALL = re.compile(r"\{[a-z_][a-z0-9_]*\}"), re.compile(r"\{[a-z_][a-z0-9_]*\*\}")
_LITERAL = re.compile(r"[^{}?#\0-\x20\x7f-\x9f]*")


@dataclass(frozen=True)
class Pattern:
    """One pattern of ROUTES: `text` is its template too; a segment that is None in `segments` may be anything."""

    text: str
    segments: tuple[str | None, ...]
    open: bool  # whether more may follow

    def fits(self, segments: list[str]) -> bool:
        """Whether a path of these segments is this route."""
        if not (len(segments) > len(self.segments) if self.open else len(segments) == len(self.segments)):
            return False
        return all(
            found if said is None else found == said for said, found in zip(self.segments, segments, strict=False)
        )

    @property
    def shape(self) -> tuple[bool, tuple[bool, ...]]:
        """What patterns share that can be looked up together."""
        return self.open, tuple(segment is None for segment in self.segments)


@dataclass(frozen=True)
class Routes:
    """The patterns of ROUTES in their order, and after them RULES."""

    patterns: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, patterns: str | None) -> Routes:
        """The routes of a ROUTES setting: patterns such as `/shop/{slug}/reviews`, between commas or white space.

        `{name}` is one whole segment, not empty; a last `{name*}` is all that is left, also nothing; the rest is
        literal. Raises ConfigurationError naming the pattern that makes no sense, and why.
        """
        return cls(tuple(_pattern(text) for text in re.split(r"[,\s]+", patterns or "") if text))

    def template(self, path: str) -> Explained:
        """The template of one path, and why."""
        bare = re.split("[?#]", path, maxsplit=1)[0]
        dropped = [f"{_shown(path[len(bare) :])} dropped"] if bare != path else []
        segments = bare[1:].split("/")
        for pattern in self.patterns:
            if pattern.fits(segments):
                return Explained(pattern.text, "; ".join([f"ROUTES {pattern.text}", *dropped]))
        seen = [_segment(segment) for segment in segments[:_MAX_SEGMENTS]]
        reasons = [reason for _, reason in seen if reason]
        if len(segments) > _MAX_SEGMENTS:
            seen.append((_REST, ""))
            reasons.append(f"{_REST}: past {_MAX_SEGMENTS} segments")
        template = bare[:1] + "/".join(changed for changed, _ in seen)
        return Explained(template, "; ".join([*reasons, *dropped]) or "as it is")

    def templates(self, paths: pl.Series) -> pl.Series:
        """The templates of a column of paths that keep to the grammar; as long as the column, nulls stay."""
        # Few of a batch's paths are distinct: the work is done on those. An Enum is the cheapest way there and back.
        distinct = paths.drop_nulls().unique()
        numbers = paths.cast(pl.Enum(distinct)).to_physical()
        return self._templates(distinct.str.replace(_QUERY, "")).gather(numbers).alias(paths.name)

    def _templates(self, paths: pl.Series) -> pl.Series:
        by_rules = _by_rules(paths)
        if not self.patterns:
            return by_rules
        texts = pl.Series([pattern.text for pattern in self.patterns], dtype=pl.String)
        chosen = texts.gather(self._first(paths))
        return chosen.zip_with(chosen.is_not_null(), by_rules)

    def _first(self, paths: pl.Series) -> pl.Series:
        """The number of the first pattern that fits each path, or null."""
        frame = paths.str.slice(1).str.split("/").to_frame("segments")
        numbered = sorted(enumerate(self.patterns), key=lambda item: item[1].shape)
        of_shapes = (_first_of(list(same)) for _, same in groupby(numbered, lambda item: item[1].shape))
        return frame.select(pl.min_horizontal(*of_shapes).alias("number"))["number"]


def _first_of(patterns: list[tuple[int, Pattern]]) -> pl.Expr:
    """One look-up for all patterns of one shape, so that hundreds of them cost little."""
    is_open, wild = patterns[0][1].shape
    segments = pl.col("segments").list
    fits = segments.len() > len(wild) if is_open else segments.len() == len(wild)
    said = [pl.lit("")]
    for position, is_wild in enumerate(wild):
        segment = segments.get(position, null_on_oob=True)
        if is_wild:
            fits &= segment != ""
        else:
            said.append(segment)
    numbers: dict[str, int] = {}
    for number, pattern in patterns:
        numbers.setdefault("/".join(["", *(text for text in pattern.segments if text is not None)]), number)
    found = pl.concat_str(said, separator="/").cast(pl.Enum(list(numbers)), strict=False).to_physical()
    return pl.when(fits).then(pl.lit(pl.Series(numbers.values(), dtype=pl.UInt32)).gather(found))


def _pattern(text: str) -> Pattern:
    if not text.startswith("/"):
        raise ConfigurationError(f"ROUTES: {text!r} does not start with a slash")
    if len(text) > MAX_TEMPLATE:
        raise ConfigurationError(f"ROUTES: {_shown(text)!r} is longer than {MAX_TEMPLATE} characters")
    segments = text[1:].split("/")
    is_open = _REST_OF_ALL.fullmatch(segments[-1]) is not None
    said: list[str | None] = []
    for segment in segments[:-1] if is_open else segments:
        if not (wild := _WILD.fullmatch(segment)) and not _LITERAL.fullmatch(segment):
            raise ConfigurationError(
                f"ROUTES: {segment!r} in {text!r} is neither literal nor {{name}}, nor {{name*}} at the end"
            )
        said.append(None if wild else segment)
    return Pattern(text, tuple(said), is_open)


# --- The rules, a segment at a time ------------------------------------------------------------------------------


def _segment(segment: str) -> tuple[str, str]:
    """What becomes of a segment, and why; no reason where it stays."""
    for rule in RULES[:-1]:
        if re.fullmatch(rule.whole, segment) and re.search(rule.inside, segment):
            return _because(rule, segment)
    for rule in RULES:
        parts = re.fullmatch(f"{_NAME}({rule.stem}){_EXTENSION}", segment)
        if parts and re.search(rule.inside, parts[2]):
            return _because(rule, parts[2], parts[1], parts[3])
    return _because(_OVERLONG, segment) if re.fullmatch(_OVERLONG.whole, segment) else (segment, "")


def _because(rule: Rule, text: str, before: str = "", after: str = "") -> tuple[str, str]:
    return f"{before}{{{rule.name}}}{after}", f"{{{rule.name}}}: {_shown(text)} is {rule.words}"


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_SEGMENT else f"{text[: _MAX_SEGMENT - 1]}…"


# --- The rules, in columns ---------------------------------------------------------------------------------------


def _by_rules(paths: pl.Series) -> pl.Series:
    paths = paths.str.replace(_FIRST_TEN, f"${{1}}/{_REST}")
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


_EMAIL, _ID, _UUID, _DATE, _DIGITS, _MIXED = RULES[:-1]
_TOO_LONG = f"[^/]{{{_LONG - _MAX_EXTENSION}}}"
_SUSPECT = f"[0-9@]|{_HEX}{{8}}|{_TOO_LONG}"
# The order is that of the other form, save where no segment could take both of two steps.
_STAGES = (
    _Stage("[0-9]/", (_whole(_ID),)),
    _Stage(r"[0-9]\.", (_with_extension(_ID),)),
    _Stage("@|%40", (_whole(_EMAIL), _with_extension(_EMAIL))),
    _Stage(f"[0-9]{{4}}-|{_HEX}{{8}}", (_whole(_UUID), _whole(_DATE), _whole(_DIGITS))),
    _Stage(
        f"[0-9]{{4}}-.*\\.|{_HEX}{{8}}.*\\.", (_with_extension(_UUID), _with_extension(_DATE), _with_extension(_DIGITS))
    ),
    _Stage("[A-Za-z0-9_~=-]{20}", _with_inside(_MIXED)),
    _Stage(_TOO_LONG, (_with_extension(_OVERLONG), _whole(_OVERLONG))),
)
