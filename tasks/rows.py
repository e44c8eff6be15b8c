"""Stored lines on their way into `log_entries`: loaded into MariaDB, rendered for MySQL, as parameters into SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from pipeline.errors import Refused
from pipeline.models import LogEntry
from pipeline.storage import Store
from tasks.columns import Numbers

# A load or a statement, in bytes (`max_allowed_packet` is 16 MiB and more); a statement of SQLite's, in rows.
PIECE_BYTES = 4 * 1024 * 1024
STATEMENT_ROWS = 1_000

# Paths of which no character means anything in a string.
_HARMLESS = "^[/0-9A-Za-z._~?=&-]+$"
_COLUMNS = "(id, timestamp, ip, method, path, status, latency_ms, batch, route)"
_INSERT = f"INSERT INTO log_entries {_COLUMNS} VALUES "
_LOAD = (
    "LOAD DATA LOCAL INFILE 'rows' INTO TABLE log_entries CHARACTER SET utf8mb4"
    rf" FIELDS TERMINATED BY '\t' ESCAPED BY '' LINES TERMINATED BY '\n' {_COLUMNS}"
)
# Whether rows are loaded: into MariaDB alone, where it takes loads.
_CAN_LOAD = "SELECT INSTR(VERSION(), 'MariaDB') AND @@local_infile"
_RESERVE = "UPDATE log_id SET next = LAST_INSERT_ID(next) + %s"


class Load(NamedTuple):
    """Rows as MariaDB loads them, for two thirds of what an INSERT costs it."""

    text: bytes
    length: int

    def into(self, store: Store) -> None:
        """Inserts them inside a transaction. Raises what `Store.load` does."""
        store.load(_LOAD, self.text, self.length)


class Insert(NamedTuple):
    """Rows as an INSERT."""

    statement: str

    def into(self, store: Store) -> None:
        """Inserts them inside a transaction."""
        store.execute(self.statement)


Piece = Load | Insert


def insert(store: Store, frame: pl.DataFrame, batch: int) -> Numbers:
    """Inserts a frame of lines (`tasks.frame.SCHEMA` and `route`) as rows of one batch, inside a transaction.

    There is at least one. Returns their ids, growing, of shape (n,).
    """
    if store.is_mysql:
        first = reserve(store, len(frame))
        for piece in pieces(store, frame, batch, first):
            piece.into(store)
        return np.arange(first, first + len(frame))
    fixed = frame.select(
        pl.col("time").str.replace("T", " ", literal=True).str.pad_end(20, ".").str.pad_end(26, "0"),
        *("ip", "method", "path", "status", "latency"),
        pl.lit(batch),
        "route",
    )
    fields = [
        LogEntry.timestamp,
        LogEntry.ip,
        LogEntry.method,
        LogEntry.path,
        LogEntry.status,
        LogEntry.latency_ms,
        LogEntry.batch,
        LogEntry.route,
    ]
    for chunk in fixed.iter_slices(STATEMENT_ROWS):
        LogEntry.insert_many(chunk.rows(), fields=fields).execute()
    last = store.execute("SELECT last_insert_rowid()").fetchone()[0]
    return np.arange(last - len(frame) + 1, last + 1)


def reserve(store: Store, count: int) -> int:
    """The first of so many ids that no other row will have, in MySQL or MariaDB; SQLite numbers rows itself.

    They are taken at once, and late: a tail waits for ids that were taken and have no row yet, but not for long.
    """
    taken = store.at_once(_RESERVE, (count,))
    if not taken.rowcount:
        raise Refused("database", "log_id has no row; it is to have one, above the greatest id of log_entries")
    return int(taken.lastrowid)


def pieces(store: Store, frame: pl.DataFrame, batch: int, first: int) -> Iterator[Piece]:
    """A frame of lines as MariaDB or MySQL takes them, inside a transaction."""
    (can_load,) = store.execute(_CAN_LOAD).fetchone()
    return (loads if can_load else inserts)(frame, batch, first)


def loads(frame: pl.DataFrame, batch: int, first: int) -> Iterator[Load]:
    """A frame of lines as loads. No field's grammar has room for a tab or the end of a line."""
    row = "{}\t{}\t{}\t{}\t{}\t{}\t{}\t" + str(batch) + "\t{}\n"
    for piece in _cut(_rendered(frame, row, pl.col("time"), pl.col("path"), first)):
        yield Load(piece.str.join("").item().encode(), len(piece))


def inserts(frame: pl.DataFrame, batch: int, first: int) -> Iterator[Insert]:
    """A frame of lines as statements.

    Five fields' grammar leaves nothing to escape; the path, a client's free text, is a hexadecimal literal unless all
    of it is `_HARMLESS`: no byte of a client's is ever more than a string's content.
    """
    # With times as numbers and most paths as they are, a row costs a tenth less.
    time = pl.col("time").str.replace_all("[-T:]", "")
    as_hex = pl.format("_utf8mb4 X'{}'", pl.col("path").cast(pl.Binary).bin.encode("hex"))
    path = pl.when(pl.col("path").str.contains(_HARMLESS)).then(pl.format("'{}'", "path")).otherwise(as_hex)
    row = "({},{},'{}','{}',{},{},{}," + str(batch) + ",{})"
    for piece in _cut(_rendered(frame, row, time, path, first)):
        yield Insert(_INSERT + piece.str.join(",").item())


def _rendered(frame: pl.DataFrame, row: str, time: pl.Expr, path: pl.Expr, first: int) -> pl.Series:
    """Each line as its row in text, with ids from `first` on."""
    id = pl.int_range(first, first + len(frame), dtype=pl.Int64)
    return frame.select(pl.format(row, id, time, "ip", "method", path, "status", "latency", "route")).to_series()


def _cut(rows: pl.Series) -> Iterator[pl.Series]:
    """Rows in pieces within PIECE_BYTES, or of one row."""
    size = rows.str.len_bytes().to_numpy().astype(np.int64) + len(",")
    # A row belongs to the piece in which it ends: the first may reach back into the one before, by all of itself.
    room = max(PIECE_BYTES - len(_INSERT) - size.max(), 1)
    starts = np.flatnonzero(np.diff(np.cumsum(size) // room, prepend=-1))
    for begin, end in pairwise([*starts.tolist(), len(rows)]):
        yield rows[begin:end]
