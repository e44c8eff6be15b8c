"""Stored lines as a file, however many: written while they are read, a chunk at a time."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from peewee import fn

from pipeline.entries import Scan, matching
from pipeline.errors import Unavailable
from pipeline.models import LogEntry
from pipeline.storage import Store
from pipeline.window import Window
from webapi.logs import window_of
from webapi.questions import ExportQuestion
from webapi.streams import Streams

# Rows a query, and so what is in memory at once. Each is a transaction of its own: a slow reader holds no snapshot.
CHUNK: Final = 10_000
# Seconds that a query of few among many rows may take: the next one goes on.
CHUNK_SECONDS: Final = 1.0
FIELDS: Final = ("id", "Timestamp", "IP", "Method", "Path", "Status", "LatencyMs")
CONTENT_TYPES: Final = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}

_encoder = msgspec.json.Encoder()


def file_name(question: ExportQuestion) -> str:
    """What the file is called: with the range that it is of."""
    said = [f"{at:%Y%m%dT%H%M%SZ}" for at in (question.start, question.end) if at is not None]
    return "-".join(["logs", *said]) + f".{question.format}"


def export(
    store: Store, question: ExportQuestion, streams: Streams, clock: Callable[[], float] = time.monotonic
) -> Generator[bytes, None, None]:
    """The lines that a question asks for, newest first, as chunks of the file.

    Raises TooManyRequests, Unavailable and TooSlow before the first chunk. What goes wrong later is raised as well,
    after a chunk that nothing can read: HTTP's own end of a body is the server's to send, and it sends it.

    No cell of a spreadsheet begins with what it would calculate: by the grammar a path begins with a slash, a method
    with a letter, and the others with a digit or a colon.
    """
    window = window_of(question.start, question.end)
    write = _WRITERS[question.format]
    with streams.exports.taken():
        rows, below = store.read(partial(_chunk, question, window, None, question.limit, clock))
        left = _left(question.limit, rows)
        yield _HEADS[question.format] + write(rows)
        try:
            while below and left != 0:
                if streams.stopping.is_set():
                    raise Unavailable("webapi", "it is shutting down")
                rows, below = store.read(partial(_chunk, question, window, below, left, clock))
                left = _left(left, rows)
                if rows:
                    yield write(rows)
        except Exception:
            yield _BROKEN[question.format]
            raise


def _left(limit: int | None, rows: Sequence[Any]) -> int | None:
    return None if limit is None else limit - len(rows)


def _chunk(
    question: ExportQuestion, window: Window | None, below: int | None, left: int | None, clock: Callable[[], float]
) -> tuple[list[Any], int]:
    """The next rows, as many as are found in time, and the id below which the others are; 0 where there are none."""
    wanted = CHUNK if left is None else min(CHUNK, left)
    scan = Scan(window, clock() + CHUNK_SECONDS, below, clock)
    condition = matching(question.selection, window)
    rows: list[Any] = []
    for piece in scan:
        query = LogEntry.select(*_COLUMNS).where(piece.holds(), condition).order_by(LogEntry.id.desc())
        rows.extend(query.limit(wanted - len(rows)).tuples())
        if len(rows) >= wanted:
            return rows, int(rows[-1][0])
    return rows, scan.next_below


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows((row[0], _rfc3339(row[1]), *row[2:]) for row in rows)
    return text.getvalue().encode()


def _ndjson(rows: Sequence[Sequence[Any]]) -> bytes:
    lines = (dict(zip(FIELDS, (row[0], _rfc3339(row[1]), *row[2:]), strict=True)) for row in rows)
    return _encoder.encode_lines(lines)


def _rfc3339(stored: str) -> str:
    """`YYYY-MM-DD HH:MM:SS.ffffff` as every answer writes a time: reading it as one would cost more than the rest."""
    return f"{stored[:10]}T{stored[11:].rstrip('0').rstrip('.') if stored[20:] else stored[11:]}Z"


_COLUMNS: Final = (
    LogEntry.id,
    # Not through the column's type, which makes a time of it.
    fn.CONCAT(LogEntry.timestamp, "").coerce(False),
    LogEntry.ip,
    LogEntry.method,
    LogEntry.path,
    LogEntry.status,
    LogEntry.latency_ms,
)
_HEADS: Final = {"csv": ",".join(FIELDS).encode() + b"\r\n", "ndjson": b""}
# A cell that is never closed, an object that is none.
_BROKEN: Final = {
    "csv": b'"this file is not complete: the export broke off here',
    "ndjson": b'{"error":"this file is not complete: the export broke off here"',
}
_WRITERS: Final[dict[str, Callable[[Sequence[Sequence[Any]]], bytes]]] = {"csv": _csv, "ndjson": _ndjson}
