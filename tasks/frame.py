"""A batch's records as one frame of lines. Pure; no Python loop runs over the lines that are ordinary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline import batch, grammar
from pipeline.batch import PAYLOAD, Record
from pipeline.errors import LineFault
from tasks.columns import Numbers

SCHEMA: Final = pl.Schema(
    {
        "record": pl.UInt32,  # which of the batch's records
        "line": pl.UInt32,  # which of the record's elements
        "time": pl.String,  # YYYY-MM-DDTHH:MM:SS[.ffffff], UTC
        "ip": pl.String,
        "method": pl.String,
        "path": pl.String,
        "status": pl.UInt16,
        "latency": pl.UInt32,  # ms
    }
)

# The minute that a line is dated in, in seconds since the epoch.
MINUTE: Final = pl.col("time").str.head(16).str.to_datetime("%Y-%m-%dT%H:%M").dt.epoch("s").alias("minute")

_lines = msgspec.json.Decoder(list[str])


class Place(NamedTuple):
    """Where the lines of an upload stand: of which of the batch's records, from which of its elements on, how many."""

    record: int
    line: int
    lines: int


class Rejected(NamedTuple):
    """What was not understood: a line, or with `line` None a record as a whole, which counts for `lines` lines."""

    record: int
    line: int | None
    lines: int
    reason: str
    detail: str
    payload: bytes


class Parsed(NamedTuple):
    """A batch taken apart: every line is in `frame` (SCHEMA and MINUTE) or counted by one of `rejected`."""

    frame: pl.DataFrame
    rejected: list[Rejected]


def parse(records: Sequence[Record]) -> Parsed:
    """Takes the records of a batch apart."""
    rejected: list[Rejected] = []
    frame = _frame(*_column(records, rejected))
    ordinary = frame.filter(pl.col("time").is_not_null()).select(SCHEMA.names()).cast(SCHEMA)
    if len(ordinary) < len(frame):
        others = frame.filter(pl.col("time").is_null()).select("record", "line", "text")
        ordinary = pl.concat([ordinary, _judge(records, others, rejected)]).sort("record", "line")
    return Parsed(ordinary.with_columns(MINUTE), rejected)


def without(parsed: Parsed, gone: Sequence[Place]) -> Parsed:
    """The same batch without the lines of some of its uploads."""
    # A line's record and number as one: which upload it is of is one search for all lines.
    uploads = np.array(sorted(gone), dtype=np.int64).reshape(-1, 3)
    begins = _position(uploads[:, 0], uploads[:, 1])
    ends = np.concatenate([[0], begins + uploads[:, 2]])

    def stay(records: Numbers, lines: Numbers) -> npt.NDArray[np.bool_]:
        positions = _position(records, lines)
        return positions >= ends[np.searchsorted(begins, positions, side="right")]

    of_record = Counter[int]()
    for upload in gone:
        of_record[upload.record] += upload.lines
    rejected = np.array([(one.record, one.line or 0) for one in parsed.rejected], dtype=np.int64).reshape(-1, 2)
    # Rejected as a whole, a record is gone only with all its uploads. With some, the counts do not balance: it is split
    # off, and buried without its twins.
    left = [
        one
        for one, stays in zip(parsed.rejected, stay(rejected[:, 0], rejected[:, 1]).tolist(), strict=True)
        if (stays if one.line is not None else one.record not in of_record or one.lines > of_record[one.record])
    ]
    stays = stay(parsed.frame["record"].to_numpy(), parsed.frame["line"].to_numpy())
    return Parsed(parsed.frame.filter(pl.Series(stays, dtype=pl.Boolean)), left)


def _column(records: Sequence[Record], rejected: list[Rejected]) -> tuple[pl.Series, list[int], list[int]]:
    """The lines of a batch, the numbers of the records that have them, and how many each has; adds to `rejected` the
    records that have none.

    Python's own texts end here: of a full batch 5 MB, which would be there while its fields are taken out.
    """
    texts: list[str | None] = []
    numbers: list[int] = []
    counts: list[int] = []
    for number, record in enumerate(records):
        elements = _elements(record)
        if isinstance(elements, LineFault):
            rejected.append(_whole(number, record, elements))
            continue
        texts.extend(elements)
        numbers.append(number)
        counts.append(len(elements))
    return pl.Series(texts, dtype=pl.String), numbers, counts


def _elements(record: Record) -> Sequence[str | None] | LineFault:
    """A record's lines, None for an element that is no string; or why it has none."""
    if record.value is None:
        return ()
    elements: Sequence[str | None]
    try:
        elements = _lines.decode(record.value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        document = batch.decode(record.value)
        if not isinstance(document, list):
            return LineFault("not_an_array", "the record is not a JSON array of lines")
        elements = [element if isinstance(element, str) else None for element in document]
    if len(elements) != (said := batch.lines(record)):
        return LineFault("lines_header", f"the header says {said} lines, the array has {len(elements)}")
    return elements


def _frame(text: pl.Series, numbers: Sequence[int], counts: Sequence[int]) -> pl.DataFrame:
    """The texts with where they come from and, where they are ordinary, their fields as text; else nulls."""
    lengths = np.array(counts, dtype=np.uint32)
    begins = np.cumsum(lengths, dtype=np.uint32) - lengths
    owned = pl.DataFrame(
        {
            "record": np.repeat(np.array(numbers, dtype=np.uint32), lengths),
            "line": np.arange(len(text), dtype=np.uint32) - np.repeat(begins, lengths),
            "text": text,
        }
    )
    return owned.with_columns(pl.col("text").str.extract_groups(grammar.FAST_LINE).alias("fields")).unnest("fields")


def _judge(records: Sequence[Record], others: pl.DataFrame, rejected: list[Rejected]) -> pl.DataFrame:
    """Has the grammar's slow form look at the lines that the fast one left; adds what is wrong to `rejected`."""
    rows = []
    taken_apart: tuple[int, list[Any]] = (-1, [])  # the last record that had elements of another type, as they are
    for number, line, text in others.iter_rows():
        try:
            if text is None:
                raise LineFault("not_text", "the element is not a string")
            parsed = grammar.parse(text)
        except LineFault as fault:
            if text is None and taken_apart[0] != number:
                taken_apart = number, _any_elements(records[number])
            payload = msgspec.json.encode(taken_apart[1][line]) if text is None else text.encode("utf-8")
            rejected.append(Rejected(number, line, 1, fault.reason, fault.detail, payload[:PAYLOAD]))
        else:
            rows.append((number, line, parsed.timestamp.isoformat(), *msgspec.structs.astuple(parsed)[1:]))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _whole(number: int, record: Record, fault: LineFault) -> Rejected:
    value = (record.value or b"")[:PAYLOAD]
    return Rejected(number, None, batch.lines(record), fault.reason, fault.detail, value)


def _position(records: Numbers, lines: Numbers) -> Numbers:
    return records.astype(np.int64) << 32 | lines


def _any_elements(record: Record) -> list[Any]:
    document = batch.decode(record.value or b"")
    return document if isinstance(document, list) else []
