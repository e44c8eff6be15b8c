"""What one search box says: `status:5xx -method:GET latency:>500 /products "a b"`. Pure.

Terms are parted by white space, and all of them must hold; `-` before a term turns it around. A value may stand in
quotation marks, in which a backslash says that the quotation mark or backslash after it is meant. A word without a
field is part of a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from pipeline.grammar import MAX_LATENCY_MS
from pipeline.selection import EVERYTHING, Selection
from webapi import values
from webapi.conjunction import Contradiction, both

MAX_TERMS: Final = 50
MAX_CHARACTERS: Final = 2000

_SPACE = re.compile(r"\s+")
_FIELD = re.compile(r"([A-Za-z_]+):")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_WORD = re.compile(r'[^\s"]+')
_BOUND = re.compile(r"(>=|<=|>|<|)([0-9]{1,10})(?:ms)?")
_BOUNDS = re.compile(r"([0-9]{1,10})(?:ms)?\.\.([0-9]{1,10})(?:ms)?")


class Unclear(ValueError):  # noqa: N818 (named as the rest of our errors are)
    """A search that cannot be understood, and at which of its characters, the first being 1."""

    def __init__(self, character: int, detail: str) -> None:
        super().__init__(f"character {character}: {detail}")
        self.character = character


class Term(NamedTuple):
    """One term: where it begins and where its value begins, counted from 0."""

    at: int
    value_at: int
    field: str
    value: str
    negated: bool


def understand(text: str) -> Selection:
    """The lines that a search is about. Raises Unclear."""
    if len(text) > MAX_CHARACTERS:
        raise Unclear(MAX_CHARACTERS + 1, f"expected at most {MAX_CHARACTERS} characters")
    found = EVERYTHING
    for number, term in enumerate(_terms(text)):
        if number == MAX_TERMS:
            raise Unclear(term.at + 1, f"expected at most {MAX_TERMS} terms")
        try:
            found = both(found, _FIELDS[term.field](term.value, term.negated))
        except Contradiction as error:
            raise Unclear(term.at + 1, str(error)) from None
        except ValueError as error:
            raise Unclear(term.value_at + 1, str(error)) from None
    return found


def _terms(text: str) -> Iterator[Term]:
    at = _skip(text, 0)
    while at < len(text):
        begin, negated = at, text[at] == "-"
        at += negated
        field = "path"
        if named := _FIELD.match(text, at):
            field = named[1].lower()
            if field not in _FIELDS:
                known = ", ".join(_FIELDS)
                raise Unclear(
                    at + 1, f"no such field {named[1][:50]!r}; there are {known} (quote a path with a colon in it)"
                )
            at = named.end()
        value, end = _value(text, at)
        yield Term(begin, at, field, value, negated)
        at = _skip(text, end)


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins at `at`, and where it ends."""
    if text[at : at + 1] == '"':
        if not (quoted := _QUOTED.match(text, at)):
            raise Unclear(at + 1, 'this quotation mark is not closed, or \\ stands before something else than " or \\')
        value, end = re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()
    else:
        word = _WORD.match(text, at)
        value, end = (word[0], word.end()) if word else ("", at)
    if not value:
        raise Unclear(at + 1, "a value is missing")
    if end < len(text) and not text[end].isspace():
        raise Unclear(end + 1, "expected a space; quote a value that has a quotation mark in it")
    return value, end


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _status(value: str, negated: bool) -> Selection:
    return Selection(status=values.statuses(_turned(value) if negated else value))


def _method(value: str, negated: bool) -> Selection:
    return Selection(method=values.methods(_turned(value) if negated else value))


def _route(value: str, negated: bool) -> Selection:
    return Selection(route=values.routes(_turned(value) if negated else value))


def _ip(value: str, negated: bool) -> Selection:
    return Selection(ip=values.addresses(_turned(value) if negated else value))


def _path(value: str, negated: bool) -> Selection:
    return Selection(path=(msgspec.structs.replace(values.substring(value), negated=negated),))


def _latency(value: str, negated: bool) -> Selection:
    least, most = _bounds(value)
    if negated:
        if least and most < MAX_LATENCY_MS:
            raise ValueError("both ends cannot be excluded: search for latency:<100 or for latency:>200")
        least, most = (most + 1, MAX_LATENCY_MS) if not least else (0, least - 1)
    if least > most or least > MAX_LATENCY_MS:
        raise Contradiction("no line can match: no latency is left")
    return Selection(min_latency=least or None, max_latency=most if most < MAX_LATENCY_MS else None)


def _bounds(value: str) -> tuple[int, int]:
    """The least and the greatest latency."""
    if bounds := _BOUNDS.fullmatch(value):
        return int(bounds[1]), min(int(bounds[2]), MAX_LATENCY_MS)
    if not (bound := _BOUND.fullmatch(value)):
        raise ValueError("expected a latency such as >500, <=20, 100..200 or 500ms")
    number = int(bound[2])
    return {
        ">": (number + 1, MAX_LATENCY_MS),
        ">=": (number, MAX_LATENCY_MS),
        "<": (0, min(number - 1, MAX_LATENCY_MS)),
        "<=": (0, min(number, MAX_LATENCY_MS)),
        "": (number, number),
    }[bound[1]]


def _turned(value: str) -> str:
    return value[1:] if value.startswith("!") else f"!{value}"


_FIELDS: Final[dict[str, Callable[[str, bool], Selection]]] = {
    "status": _status,
    "method": _method,
    "route": _route,
    "ip": _ip,
    "path": _path,
    "latency": _latency,
}
