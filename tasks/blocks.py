"""Notes which ids the entries of each minute got (`pipeline.blocks`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.blocks import BLOCK
from pipeline.models import LogBlock
from pipeline.storage import Store
from tasks.frame import MINUTE


def note(store: Store, frame: pl.DataFrame, ids: npt.NDArray[np.int64]) -> None:
    """Notes the ids (n,) of a frame of n inserted lines (`tasks.frame.SCHEMA`), inside their transaction."""
    rows = (
        frame.lazy()
        .select(MINUTE.alias("minute"), pl.Series("id", ids))
        .group_by("minute", (pl.col("id") // BLOCK).alias("block"))
        .agg(pl.col("id").min().alias("first"), pl.col("id").max().alias("last"), pl.len().alias("entries"))
        .sort("minute", "block")
        .collect()
        .rows()
    )
    model = LogBlock
    store.upsert(model, rows, add=[model.entries], minimum=[model.first], maximum=[model.last])
