"""The patterns of ROUTES, which go before the rules. Pure, and light: whoever reads the settings imports it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pipeline.errors import ConfigurationError

MAX_TEMPLATE: Final = 500
"""Characters. The rules give at most 10 segments of 48, their slashes and `/{rest}`: 497. ROUTES is held to it."""

_MAX_SHOWN: Final = 48
_WILD, _REST_OF_ALL = re.compile(r"\{[a-z_][a-z0-9_]*\}"), re.compile(r"\{[a-z_][a-z0-9_]*\*\}")
_LITERAL = re.compile(r"[^{}?#\0-\x20\x7f-\x9f]*")


@dataclass(frozen=True)
class Pattern:
    """One pattern of ROUTES: `text` is its template too; a segment that is None in `segments` may be anything."""

    text: str
    segments: tuple[str | None, ...]
    is_open: bool  # whether more may follow

    def fits(self, segments: list[str]) -> bool:
        """Whether a path of these segments is this route."""
        if not (len(segments) > len(self.segments) if self.is_open else len(segments) == len(self.segments)):
            return False
        return all(
            found if said is None else found == said for said, found in zip(self.segments, segments, strict=False)
        )

    @property
    def shape(self) -> tuple[bool, tuple[bool, ...]]:
        """What patterns share that can be looked up together."""
        return self.is_open, tuple(segment is None for segment in self.segments)


def parsed(patterns: str | None) -> tuple[Pattern, ...]:
    """The patterns of a ROUTES setting, such as `/shop/{slug}/reviews`, between commas or white space.

    `{name}` is one whole segment, not empty; a last `{name*}` is all that is left, also nothing; the rest is literal.
    Raises ConfigurationError naming the pattern that makes no sense, and why.
    """
    return tuple(_pattern(text) for text in re.split(r"[,\s]+", patterns or "") if text)


def shown(text: str) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _pattern(text: str) -> Pattern:
    if not text.startswith("/"):
        raise ConfigurationError(f"ROUTES: {text!r} does not start with a slash")
    if len(text) > MAX_TEMPLATE:
        raise ConfigurationError(f"ROUTES: {shown(text)!r} is longer than {MAX_TEMPLATE} characters")
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
