"""Stored lines on their way into `log_entries`: loaded into MariaDB, rendered for MySQL, as parameters into SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from pipeline.models import LogEntry
from pipeline.storage import Store
from tasks.columns import Numbers

# Of a load, in rows: it has ids reserved for 1, 2, 4 and so on, and leaves a gap of those that it does not use.
LOAD_ROWS = 2**14 - 1
# A statement of MySQL's, in bytes (`max_allowed_packet` is 16 MiB and more); one of SQLite's, in rows.
STATEMENT_BYTES = 4 * 1024 * 1024
STATEMENT_ROWS = 1_000

# Paths of which no character means anything in a string.
_HARMLESS = "^[/0-9A-Za-z._~?=&-]+$"
_COLUMNS = "(timestamp, ip, method, path, status, latency_ms, batch, route)"
_INSERT = f"INSERT INTO log_entries {_COLUMNS} VALUES "
_LOAD = (
    "LOAD DATA LOCAL INFILE 'rows' INTO TABLE log_entries CHARACTER SET utf8mb4"
    rf" FIELDS TERMINATED BY '\t' ESCAPED BY '' LINES TERMINATED BY '\n' {_COLUMNS}"
)
# What ids grow by; whether rows are loaded, and those of one load have ids that follow each other: MySQL does neither
# unless it is told to.
_SERVER = (
    "SELECT @@auto_increment_increment,"
    " INSTR(VERSION(), 'MariaDB') AND @@local_infile AND @@innodb_autoinc_lock_mode < 2"
)


class Load(NamedTuple):
    """Rows as MariaDB loads them, which takes it two thirds of what an INSERT does."""

    text: bytes
    length: int

    def into(self, store: Store) -> int:
        """Inserts them inside a transaction; returns the first one's id. Raises what `Store.load` does."""
        return store.load(_LOAD, self.text, self.length)


class Insert(NamedTuple):
    """Rows as an INSERT."""

    statement: str
    length: int

    def into(self, store: Store) -> int:
        """Inserts them inside a transaction; returns the first one's id."""
        return int(store.execute(self.statement).lastrowid)


def insert(store: Store, frame: pl.DataFrame, batch: int) -> Numbers:
    """Inserts a frame of lines (`tasks.frame.SCHEMA` and `route`) as rows of one batch, inside a transaction.

    Returns their ids, growing, of shape (n,).
    """
    if store.is_mysql:
        step, can_load = store.execute(_SERVER).fetchone()
        ids = []
        for piece in loads(frame, batch) if can_load else inserts(frame, batch):
            first = piece.into(store)
            ids.append(np.arange(first, first + piece.length * step, step))
        return np.concatenate(ids)
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


def pieces(store: Store, frame: pl.DataFrame, batch: int) -> list[Load] | list[Insert]:
    """A frame of lines as `insert` has the server, no SQLite, take them."""
    _, can_load = store.execute(_SERVER).fetchone()
    return list(loads(frame, batch)) if can_load else list(inserts(frame, batch))


def loads(frame: pl.DataFrame, batch: int) -> Iterator[Load]:
    """A frame of lines by LOAD_ROWS. No field's grammar has room for a tab or the end of a line."""
    row = "{}\t{}\t{}\t{}\t{}\t{}\t" + str(batch) + "\t{}\n"
    rendered = frame.select(pl.format(row, "time", "ip", "method", "path", "status", "latency", "route")).to_series()
    for start in range(0, len(rendered), LOAD_ROWS):
        piece = rendered[start : start + LOAD_ROWS]
        yield Load(piece.str.join("").item().encode(), len(piece))


def inserts(frame: pl.DataFrame, batch: int) -> Iterator[Insert]:
    """A frame of lines by STATEMENT_BYTES, or by the row where one has more.

    Five fields' grammar leaves nothing to escape; the path, a client's free text, is a hexadecimal literal unless all
    of it is `_HARMLESS`: no byte of a client's is ever more than a string's content.
    """
    # With times as numbers and most paths as they are, a row costs a tenth less.
    time = pl.col("time").str.replace_all("[-T:]", "")
    as_hex = pl.format("_utf8mb4 X'{}'", pl.col("path").cast(pl.Binary).bin.encode("hex"))
    path = pl.when(pl.col("path").str.contains(_HARMLESS)).then(pl.format("'{}'", "path")).otherwise(as_hex)
    row = "({},'{}','{}',{},{},{}," + str(batch) + ",{})"
    rendered = frame.select(pl.format(row, time, "ip", "method", path, "status", "latency", "route")).to_series()
    size = rendered.str.len_bytes().to_numpy().astype(np.int64) + len(",")
    # A row belongs to the statement in which it ends: the first may reach back into the one before, by all of itself.
    room = max(STATEMENT_BYTES - len(_INSERT) - size.max(), 1)
    starts = np.flatnonzero(np.diff(np.cumsum(size) // room, prepend=-1))
    for begin, end in pairwise([*starts.tolist(), len(frame)]):
        yield Insert(_INSERT + ",".join(rendered[begin:end].to_list()), end - begin)
