"""Which lines of a body are valid: as a rule one look at the whole, line by line only where that does not decide."""

from __future__ import annotations

import re

import msgspec

from pipeline import document
from pipeline.errors import LineFault
from pipeline.grammar import FAST_LINE, body_lines, parse
from receiver.refusal import Refusal

SHOWN = 100

_ordinary = re.compile(FAST_LINE).fullmatch


class LineError(msgspec.Struct, frozen=True):
    """A line that was rejected: its index in the array, and why."""

    index: int
    detail: str


class Verdict(msgspec.Struct, frozen=True):
    """How many lines are valid and how many are not; `errors` are the first SHOWN of the latter.

    `can_share` says that the body has only ordinary valid lines, and begins and ends with its brackets.
    """

    accepted: int
    rejected: int
    errors: tuple[LineError, ...] = ()
    can_share: bool = False


def at_once(body: bytes, max_lines: int) -> Verdict | None:
    """The verdict on a body of ordinary valid lines; None where it takes a closer look.

    Raises Refusal (413) past `max_lines`.
    """
    lines = body_lines(body)
    if lines is None:
        return None
    _bounded(lines, max_lines)
    return Verdict(lines, 0, can_share=body.startswith(b"[") and body.endswith(b"]"))


def line_by_line(body: bytes, max_lines: int) -> Verdict:
    """The verdict on any body.

    Raises DocumentFault where the body as a whole cannot be read, Refusal (413) past `max_lines`.
    """
    _bounded(document.at_least(body), max_lines)
    lines = document.decode(body)
    _bounded(len(lines), max_lines)
    rejected, errors = 0, []
    for index, line in enumerate(lines):
        if _ordinary(line):
            continue
        try:
            parse(line)
        except LineFault as fault:
            rejected += 1
            if rejected <= SHOWN:
                errors.append(LineError(index, fault.detail))
    return Verdict(len(lines) - rejected, rejected, tuple(errors))


def _bounded(lines: int, max_lines: int) -> None:
    if lines > max_lines:
        raise Refusal(413, f"the array has more than {max_lines} lines (MAX_LINES)")
