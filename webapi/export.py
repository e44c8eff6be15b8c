"""Stored lines as a file, however many: written while they are read, a chunk at a time."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
from peewee import SQL, NodeList, fn

from pipeline.entries import Scan, matching
from pipeline.errors import Denied, Unavailable
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


def file_name(question: ExportQuestion) -> str:
    """What the file is called: with the range that it is of."""
    said = [f"{at:%Y%m%dT%H%M%SZ}" for at in (question.start, question.end) if at is not None]
    return "-".join(["logs", *said]) + f".{question.format}"


def export(
    store: Store,
    question: ExportQuestion,
    streams: Streams,
    clock: Callable[[], float] = time.monotonic,
    stays: Callable[[], bool] = lambda: True,
) -> Generator[bytes, None, None]:
    """The lines that a question asks for, newest first, as chunks of the file.

    Raises TooManyRequests, Unavailable and TooSlow before the first chunk. What goes wrong later is raised as well
    (Denied where the reader may not stay, as `stays` tells), after a chunk that nothing can read: HTTP's own end of a
    body is the server's to send, and it sends it.

    No cell of a spreadsheet begins with what it would calculate: by the grammar a path begins with a slash, a method
    with a letter, and the others with a digit or a colon.
    """
    window = window_of(question.start, question.end)
    shape = _SHAPES[question.format]
    with streams.exports.taken():
        lines, below = store.read(partial(_chunk, store, question, window, None, question.limit, clock))
        left = _left(question.limit, lines)
        yield shape.head + shape.written(lines)
        try:
            while below and left != 0:
                if streams.stopping.is_set():
                    raise Unavailable("webapi", "it is shutting down")
                if not stays():
                    raise Denied(401, "its key was revoked meanwhile")
                lines, below = store.read(partial(_chunk, store, question, window, below, left, clock))
                left = _left(left, lines)
                if lines:
                    yield shape.written(lines)
        except Exception:
            yield shape.broken
            raise


def _left(limit: int | None, lines: Sequence[str]) -> int | None:
    return None if limit is None else limit - len(lines)


def _chunk(
    store: Store,
    question: ExportQuestion,
    window: Window | None,
    below: int | None,
    left: int | None,
    clock: Callable[[], float],
) -> tuple[list[str], int]:
    """The next lines, as many as are found in time, and the id below which the others are; 0 where there are none."""
    wanted = CHUNK if left is None else min(CHUNK, left)
    scan = Scan(window, clock() + CHUNK_SECONDS, below, clock)
    condition = matching(question.selection, window)
    shape = _SHAPES[question.format]
    line = shape.line(_rfc3339(store))
    lines: list[str] = []
    for piece in scan:
        query = LogEntry.select(line).where(piece.holds(), condition).order_by(LogEntry.id.desc())
        # Past Peewee's wrapper, which takes as long for a row of one text as the driver does.
        found = store.database.execute(query.limit(wanted - len(lines))).fetchall()
        lines.extend(text for (text,) in found)
        if len(lines) >= wanted:
            return lines, shape.id_of(lines[-1])
    return lines, scan.next_below


def _rfc3339(store: Store) -> Any:
    """A time as every answer writes it, in SQL: stored as `YYYY-MM-DD HH:MM:SS.ffffff`, without what is zero."""
    stored = fn.REPLACE(LogEntry.timestamp, " ", "T")
    if store.is_mysql:
        return fn.TRIM(NodeList((SQL("TRAILING '.' FROM"), fn.TRIM(NodeList((SQL("TRAILING '0' FROM"), stored))))))
    return fn.RTRIM(fn.RTRIM(stored, "0"), ".")


class _Shape(NamedTuple):
    """How a line of a file is made: by the database, but for paths in which something must be escaped.

    Of all fields only a path may hold a character that means something to a file.
    """

    head: bytes
    broken: bytes
    around: tuple[str, ...]  # what stands before, between and after the seven fields
    end: str  # of a line
    special: str  # what is escaped, beside what cannot be printed
    escaped: Callable[[str], str]

    def line(self, time: Any) -> Any:
        """A line as an SQL expression: a column a row costs the driver a fraction of seven."""
        fields = (LogEntry.id, time, *_AFTER_TIME)
        parts = [part for pair in zip(self.around, fields, strict=False) for part in pair]
        return fn.CONCAT(*parts, self.around[-1]).coerce(False)

    def id_of(self, line: str) -> int:
        """The id that a line begins with."""
        return int(line[len(self.around[0]) : line.index(self.around[1])])

    def written(self, lines: Sequence[str]) -> bytes:
        """Lines as they stand in the file; all are looked at together, since nearly always none has to be changed."""
        if not self._is_plain("".join(lines), len(lines)):
            lines = [line if self._is_plain(line, 1) else self._mended(line) for line in lines]
        return self.end.join((*lines, "")).encode()

    def _is_plain(self, text: str, lines: int) -> bool:
        own = "".join(self.around)
        return text.isprintable() and all(text.count(mark) == lines * own.count(mark) for mark in self.special)

    def _mended(self, line: str) -> str:
        first = 0
        for text in self.around[1:5]:
            first = line.index(text, first) + len(text)
        after = line.rindex(self.around[5], first, line.rindex(self.around[6]))
        return line[:first] + self.escaped(line[first:after]) + line[after:]


def _csv_cell(text: str) -> str:
    row = io.StringIO()
    csv.writer(row).writerow(("", text))
    return row.getvalue()[1:-2]


def _json_text(text: str) -> str:
    return msgspec.json.encode(text).decode()[1:-1]


_AFTER_TIME: Final = (LogEntry.ip, LogEntry.method, LogEntry.path, LogEntry.status, LogEntry.latency_ms)
# Broken: a cell that is never closed, an object that is none.
_SHAPES: Final = {
    "csv": _Shape(
        head=",".join(FIELDS).encode() + b"\r\n",
        broken=b'"this file is not complete: the export broke off here',
        around=("", ",", "Z,", ",", ",", ",", ",", ""),
        end="\r\n",
        special='",',
        escaped=_csv_cell,
    ),
    "ndjson": _Shape(
        head=b"",
        broken=b'{"error":"this file is not complete: the export broke off here"',
        around=(
            '{"id":',
            ',"Timestamp":"',
            'Z","IP":"',
            '","Method":"',
            '","Path":"',
            '","Status":',
            ',"LatencyMs":',
            "}",
        ),
        end="\n",
        special='"\\',
        escaped=_json_text,
    ),
}
