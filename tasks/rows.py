"""Stored lines on their way into `log_entries`: rendered on MySQL, as parameters on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import polars as pl

from pipeline.models import LogEntry
from pipeline.storage import Store
from tasks.columns import Numbers

# A statement of MySQL's, in bytes (`max_allowed_packet` is 16 MiB and more); one of SQLite's, in rows.
STATEMENT_BYTES = 4 * 1024 * 1024
STATEMENT_ROWS = 1_000

# Paths of which no character means anything in a string.
_HARMLESS = "^[/0-9A-Za-z._~?=&-]+$"
_INSERT = "INSERT INTO log_entries (timestamp, ip, method, path, status, latency_ms, batch, route) VALUES "


def insert(store: Store, frame: pl.DataFrame, batch: int) -> Numbers:
    """Inserts a frame of lines (`tasks.frame.SCHEMA` and `route`) as rows of one batch, inside a transaction.

    Returns their ids, growing, of shape (n,).
    """
    if store.is_mysql:
        step = int(store.execute("SELECT @@auto_increment_increment").fetchone()[0])
        ids = []
        for statement, length in statements(frame, batch):
            first = store.execute(statement).lastrowid
            ids.append(np.arange(first, first + length * step, step))
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


def statements(frame: pl.DataFrame, batch: int) -> Iterator[tuple[str, int]]:
    """The INSERTs of a frame of lines, each within STATEMENT_BYTES (or one row), and how many rows each has.

    Five fields' grammar leaves nothing to escape; the path, a client's free text, is a hexadecimal literal unless all
    of it is `_HARMLESS`: no byte of a client's is ever more than a string's content.
    """
    # With times as numbers and most paths as they are, MariaDB takes a tenth less for a row.
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
        yield _INSERT + ",".join(rendered[begin:end].to_list()), end - begin
