"""Columns of paths as columns of route templates, by the rules and ROUTES of `pipeline.routes`."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

import polars as pl

from pipeline.patterns import MAX_TEMPLATE, Pattern
from pipeline.routes import Routes
from tasks.columns import coded
from tasks.rules import ID, by_rules

# Paths, of MAX_TEMPLATE characters at the most, whose templates are remembered: a megabyte or two.
_REMEMBERED: Final = 4_096
_QUERY, _LAST_NUMBER = "(?s)[?#].*", "/-?[0-9]+$"


class Templates:
    """Tells templates, and remembers those that it has found: so many and no more, so that no number of distinct paths
    fills memory. Threads may ask at once."""

    def __init__(self, routes: Routes) -> None:
        self._patterns = routes.patterns
        said = [segment or "" for pattern in routes.patterns for segment in pattern.segments]
        self._numbers_are_ids = not any(re.fullmatch(ID.whole, segment) for segment in said)
        self._known: dict[str, str] = {}

    def of(self, paths: pl.Series) -> pl.Series:
        """The templates of a column of paths that keep to the grammar, an Enum; as long as the column, nulls stay."""
        # Without queries and last numbers few of a batch's paths are distinct, and those were mostly seen before: of
        # 20,000 lines' ten thousand paths all templates take 4 ms in place of 14.
        short = pl.col("path").str.replace(_QUERY, "")
        if self._numbers_are_ids:
            short = short.str.replace(_LAST_NUMBER, f"/{{{ID.name}}}")
        distinct, numbers = coded(paths.to_frame("path").select(short).to_series())
        templates = self._templates(distinct) if len(distinct) > _REMEMBERED else self._remembered(distinct)
        return templates.cast(pl.Enum(templates.unique())).gather(numbers).alias(paths.name)

    def _remembered(self, paths: pl.Series) -> pl.Series:
        """As `_templates`, of a few distinct paths."""
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
        if not self._patterns:
            return ruled
        texts = pl.Series([pattern.text for pattern in self._patterns], dtype=pl.String)
        chosen = texts.gather(self._first(paths))
        return chosen.zip_with(chosen.is_not_null(), ruled)

    def _first(self, paths: pl.Series) -> pl.Series:
        """The number of the first pattern that fits each path, or null."""
        frame = paths.str.slice(1).str.split("/").to_frame("segments")
        numbered = sorted(enumerate(self._patterns), key=lambda item: item[1].shape)
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
