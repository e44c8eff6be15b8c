"""Stored lines as a file, however many: written while they are read, a chunk at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from peewee import fn

from pipeline.entries import Scan, matching
from pipeline.models import LogEntry
from pipeline.storage import Store
from pipeline.window import Window
from webapi.logs import window_of
from webapi.questions import ExportQuestion

# Rows a query, and so what is in memory at once. Each is a transaction of its own: a slow reader holds no snapshot.
CHUNK: Final = 10_000
FIELDS: Final = ("id", "Timestamp", "IP", "Method", "Path", "Status", "LatencyMs")
CONTENT_TYPES: Final = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}

_encoder = msgspec.json.Encoder()


def file_name(question: ExportQuestion) -> str:
    """What the file is called: with the range that it is of."""
    said = [f"{at:%Y%m%dT%H%M%SZ}" for at in (question.start, question.end) if at is not None]
    return "-".join(["logs", *said]) + f".{question.format}"


def export(store: Store, question: ExportQuestion) -> Iterator[bytes]:
    """The lines that a question asks for, newest first, as chunks of the file. Raises Unavailable, and TooSlow.

    No cell of a spreadsheet begins with what it would calculate: by the grammar a path begins with a slash, a method
    with a letter, and the others with a digit or a colon.
    """
    window = window_of(question.start, question.end)
    write = _WRITERS[question.format]
    if question.format == "csv":
        yield ",".join(FIELDS).encode() + b"\r\n"
    below, left = None, question.limit
    while below is None or below > 0:
        rows, below = store.read(partial(_chunk, question, window, below, left))
        if rows:
            yield write(rows)
        if left is not None:
            left -= len(rows)
            if left <= 0:
                return


def _chunk(
    question: ExportQuestion, window: Window | None, below: int | None, left: int | None
) -> tuple[list[Any], int]:
    """The next rows, and the id below which the others are; 0 where there are none."""
    wanted = CHUNK if left is None else min(CHUNK, left)
    scan = Scan(window, float("inf"), below)
    condition = matching(question.selection, window)
    rows: list[Any] = []
    for piece in scan:
        query = LogEntry.select(*_COLUMNS).where(piece.holds(), condition).order_by(LogEntry.id.desc())
        rows.extend(query.limit(wanted - len(rows)).tuples())
        if len(rows) >= wanted:
            return rows, int(rows[-1][0])
    return rows, 0


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
    fn.CONCAT(LogEntry.timestamp, ""),
    LogEntry.ip,
    LogEntry.method,
    LogEntry.path,
    LogEntry.status,
    LogEntry.latency_ms,
)
_WRITERS: Final[dict[str, Callable[[Sequence[Sequence[Any]]], bytes]]] = {"csv": _csv, "ndjson": _ndjson}
