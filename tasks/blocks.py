"""Notes which ids the entries of each minute got (`pipeline.blocks`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.blocks import BLOCK
from pipeline.models import LogBlock
from pipeline.storage import Store

# Rows a statement; SQLite binds at most 32,766 parameters.
CHUNK = 1_000


def note(store: Store, frame: pl.DataFrame, ids: npt.NDArray[np.int64]) -> None:
    """Notes the ids (n,) of a frame of n inserted lines (`tasks.frame.SCHEMA`), inside their transaction."""
    minute = pl.col("time").str.slice(0, 16).str.to_datetime("%Y-%m-%dT%H:%M").dt.epoch("s")
    rows = (
        frame.lazy()
        .select(minute.alias("minute"), pl.Series("id", ids))
        .group_by("minute", (pl.col("id") // BLOCK).alias("block"))
        .agg(pl.col("id").min().alias("first"), pl.col("id").max().alias("last"), pl.len().alias("entries"))
        .sort("minute", "block")
        .collect()
        .rows()
    )
    model = LogBlock
    for start in range(0, len(rows), CHUNK):
        store.upsert(
            model, rows[start : start + CHUNK], add=[model.entries], minimum=[model.first], maximum=[model.last]
        )
