"""The uploads in a record: one, or several that came together and that a receiver put into one.

A record's value is a JSON array of lines in either case, with a `lines` header that says how many. Of one upload it is
the body as it came, and further headers say what is known of it; of several it has the lines of all, one upload's after
the other's, and the header `uploads` says what is known of each. That is what makes many small uploads cheap: a record
costs each process that it goes through as much as some hundred lines do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from pipeline import batch
from pipeline.batch import Headers, Record


class Upload(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One upload: how many `lines` and `bytes` its body has; when (UTC) and by which `request` it came; and what it is
    known by when it comes again, its Idempotency-Key and the API key that said it."""

    lines: int
    bytes: int
    received: datetime
    request: str
    key: str | None = None
    api_key: str | None = None


class Held(NamedTuple):
    """An upload as a record holds it: the key that it came with, its body, and which of the record's lines are its."""

    key: bytes | None
    api_key: bytes
    body: bytes
    line: int
    lines: int


# Bytes that what is said of an upload takes at the most beside its names; of a key each may be escaped.
_SAID = 200
_encode = msgspec.json.Encoder().encode
_uploads = msgspec.json.Decoder(list[Upload])


def headers(upload: Upload) -> Headers:
    """What stands beside the body of an upload that has a record of its own."""
    said = [
        ("format", b"lines"),
        ("received", upload.received.isoformat(timespec="microseconds").replace("+00:00", "Z").encode()),
        ("lines", b"%d" % upload.lines),
        ("request", upload.request.encode()),
    ]
    if upload.key is not None:
        said.append(("key", upload.key.encode()))
    if upload.api_key is not None:
        said.append(("api_key", upload.api_key.encode()))
    return said


def record(uploads: Sequence[Upload], bodies: Sequence[bytes]) -> tuple[bytes, Headers]:
    """The value and the headers of the record that is to hold these uploads, of which there is one at least.

    Where there are several, each body is a JSON array with something in it, from bracket to bracket.
    """
    if len(uploads) == 1:
        return bodies[0], headers(uploads[0])
    value = together(bodies)
    lines = sum(upload.lines for upload in uploads)
    return value, [("format", b"lines"), ("lines", b"%d" % lines), ("uploads", _encode(uploads))]


def together(bodies: Sequence[bytes]) -> bytes:
    """One array of the lines of all these, each an array with something in it, from bracket to bracket."""
    return b"[%b]" % b",".join([body[1:-1] for body in bodies])


def size(upload: Upload) -> int:
    """How many bytes of a record that it shares an upload takes at the most, headers included."""
    return upload.bytes + _SAID + len(upload.request) + 2 * len(upload.key or "") + len(upload.api_key or "")


def held(record: Record) -> list[Held]:
    """A record's uploads, in their order, of which there is one at least; never raises.

    What says of itself that it holds several, and does not fit what it says, is one upload without a key.
    """
    value, lines = record.value or b"", batch.lines(record)
    if (said := batch.header(record, "uploads")) is not None:
        return _several(said, value, lines) or [Held(None, b"", value, 0, lines)]
    return [Held(batch.header(record, "key"), batch.header(record, "api_key") or b"", value, 0, lines)]


def _several(said: bytes, value: bytes, lines: int) -> list[Held]:
    """Nothing where it does not fit."""
    try:
        uploads = _uploads.decode(said)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return []
    if any(upload.lines < 1 or upload.bytes < 2 for upload in uploads):
        return []
    size = sum(upload.bytes - 1 for upload in uploads) + 1
    if (sum(upload.lines for upload in uploads), size) != (lines, len(value)):
        return []
    found, line, at = [], 0, 1
    for upload in uploads:
        after = at + upload.bytes - 2
        key = None if upload.key is None else upload.key.encode()
        found.append(Held(key, (upload.api_key or "").encode(), b"[%b]" % value[at:after], line, upload.lines))
        line, at = line + upload.lines, after + 1
    return found
