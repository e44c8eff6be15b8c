"""A path as its route template: what paths are counted by, so that `/users/41` and `/users/42` are one route. Pure.

The query string and the fragment go. Then ROUTES decides, the first pattern that fits; else each segment is looked at
on its own, and by the first of `pipeline.rules` that it matches as a whole it becomes

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

There are two forms, which tests hold equal: `template` says why, `templates` is for columns and remembers what it has
found, so much and no more, so that no number of distinct paths fills memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

import polars as pl

from pipeline.patterns import MAX_TEMPLATE, Pattern, parsed, shown
from pipeline.rules import ID, MAX_SEGMENTS, REST, by_rules, templated

OTHER: Final = "other"
"""What a route over the cap is counted as; no template is this, since each starts with a slash."""

OTHER_ID: Final = 0
"""Its id wherever routes have ids; no row of `route` has it."""

# Paths, of MAX_TEMPLATE characters at the most, whose templates are remembered: a megabyte or two.
_REMEMBERED: Final = 4_096


class Explained(NamedTuple):
    """A path's template and, for a person, how it came to it."""

    template: str
    rule: str


_QUERY, _LAST_NUMBER = "(?s)[?#].*", "/-?[0-9]+$"


@dataclass(frozen=True)
class Routes:
    """The patterns of ROUTES in their order, and after them the rules."""

    patterns: tuple[Pattern, ...] = ()
    _known: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, patterns: str | None) -> Routes:
        """The routes of a ROUTES setting. Raises ConfigurationError, as `pipeline.patterns.parsed`."""
        return cls(parsed(patterns))

    def template(self, path: str) -> Explained:
        """The template of one path, and why."""
        bare = re.split("[?#]", path, maxsplit=1)[0]
        dropped = [f"{shown(path[len(bare) :])} dropped"] if bare != path else []
        segments = bare[1:].split("/")
        for pattern in self.patterns:
            if pattern.fits(segments):
                return Explained(pattern.text, "; ".join([f"ROUTES {pattern.text}", *dropped]))
        seen = [templated(segment) for segment in segments[:MAX_SEGMENTS]]
        reasons = [reason for _, reason in seen if reason]
        if len(segments) > MAX_SEGMENTS:
            seen.append((REST, ""))
            reasons.append(f"{REST}: past {MAX_SEGMENTS} segments")
        template = bare[:1] + "/".join(changed for changed, _ in seen)
        return Explained(template, "; ".join([*reasons, *dropped]) or "as it is")

    def templates(self, paths: pl.Series) -> pl.Series:
        """The templates of a column of paths that keep to the grammar; as long as the column, nulls stay."""
        # Without queries and last numbers few of a batch's paths are distinct, and those were mostly seen before: of
        # 20,000 lines' ten thousand paths all templates take 4 ms in place of 14. An Enum is the cheapest way there and
        # back.
        short = pl.col("path").str.replace(_QUERY, "")
        if self._numbers_are_ids:
            short = short.str.replace(_LAST_NUMBER, f"/{{{ID.name}}}")
        shortened = paths.to_frame("path").select(short).to_series()
        distinct = shortened.drop_nulls().unique()
        templates = self._templates(distinct) if len(distinct) > _REMEMBERED else self._remembered(distinct)
        return templates.gather(shortened.cast(pl.Enum(distinct)).to_physical()).alias(paths.name)

    @property
    def _numbers_are_ids(self) -> bool:
        """Whether no pattern asks for a certain number."""
        return not any(re.fullmatch(ID.whole, said or "") for pattern in self.patterns for said in pattern.segments)

    def _remembered(self, paths: pl.Series) -> pl.Series:
        """As `_templates`, of a few distinct paths; threads may ask at once."""
        asked = paths.to_list()
        found = [self._known.get(path) for path in asked]
        if fresh := [path for path, template in zip(asked, found, strict=True) if template is None]:
            new = dict(zip(fresh, self._templates(pl.Series(fresh, dtype=pl.String)).to_list(), strict=True))
            found = [template or new[path] for path, template in zip(asked, found, strict=True)]
            if len(self._known) + len(new) > _REMEMBERED:
                self._known.clear()
            self._known.update((path, template) for path, template in new.items() if len(path) <= MAX_TEMPLATE)
        return pl.Series(found, dtype=pl.String)

    def _templates(self, paths: pl.Series) -> pl.Series:
        ruled = by_rules(paths)
        if not self.patterns:
            return ruled
        texts = pl.Series([pattern.text for pattern in self.patterns], dtype=pl.String)
        chosen = texts.gather(self._first(paths))
        return chosen.zip_with(chosen.is_not_null(), ruled)

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
