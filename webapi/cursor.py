"""Where the next page of a query begins, as a text that nobody but this module reads. Pure.

It holds the id before which the page begins, the end of a window that was given by its name, so that `range=hour` means
the same hour on every page, and a fingerprint of the query, so that another query's cursor is refused. It is no secret
and proves nothing: who makes one up gets lines that a query would have given as well.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Final

import msgspec

from pipeline.errors import BadParameter
from pipeline.statistic import RANGES
from webapi.questions import LogsQuestion

MAX_CHARACTERS: Final = 64

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FINGERPRINT_BYTES: Final = 8
_TEXT = re.compile(f"[A-Za-z0-9_-]{{1,{MAX_CHARACTERS}}}")
# From a week after the epoch, so that every window begins after it, to the end of 2099.
_END: Final = (7 * 86_400 * 10**6, 4_102_444_800 * 10**6)


class _Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    before: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    end: Annotated[int, msgspec.Meta(ge=_END[0], le=_END[1])] | None  # microseconds since the epoch
    query: Annotated[bytes, msgspec.Meta(min_length=_FINGERPRINT_BYTES, max_length=_FINGERPRINT_BYTES)]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_Place)


def encode(question: LogsQuestion, before: int) -> str:
    """The cursor of the page after one whose last line is `before`."""
    end = (question.end - _EPOCH) // _MICROSECOND if question.range_name and question.end else None
    place = _encoder.encode(_Place(before, end, _fingerprint(question)))
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def decode(text: str, question: LogsQuestion) -> LogsQuestion:
    """The question, of the page that a cursor of it names. Raises BadParameter."""
    place = _place(text)
    if place is None or (place.end is None) != (question.range_name is None):
        raise BadParameter("cursor", "expected what meta.next of the page before says")
    if place.query != _fingerprint(question):
        raise BadParameter("cursor", "it belongs to another query: keep everything but cursor and limit as it was")
    if question.range_name is None or place.end is None:
        return msgspec.structs.replace(question, before=place.before)
    end = _EPOCH + place.end * _MICROSECOND
    return msgspec.structs.replace(question, before=place.before, start=end - RANGES[question.range_name], end=end)


def _place(text: str) -> _Place | None:
    if not _TEXT.fullmatch(text):
        return None
    try:
        return _decoder.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, msgspec.MsgspecError):
        return None


def _fingerprint(question: LogsQuestion) -> bytes:
    """Of everything that the lines depend on, and neither on the page nor on when a range ends."""
    window = question.range_name or (question.start, question.end)
    return blake2b(_encoder.encode((question.selection, window)), digest_size=_FINGERPRINT_BYTES).digest()
