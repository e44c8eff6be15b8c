"""Notes which ids the entries of each minute got (`pipeline.blocks`)."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.blocks import BLOCK
from pipeline.models import LogBlock
from pipeline.storage import Store
from tasks.columns import Numbers, runs


def note(store: Store, frame: pl.DataFrame, ids: Numbers) -> None:
    """Notes the ids (n,), growing, of a frame of n inserted lines (`minute` of each), inside their transaction."""
    minutes = frame["minute"].to_numpy()
    order = np.argsort(minutes, kind="stable")
    minutes, ids = minutes[order], ids[order]
    blocks = ids // BLOCK
    starts = runs(minutes, blocks)
    entries = np.diff(starts, append=len(ids))
    columns = minutes[starts], blocks[starts], ids[starts], ids[starts + entries - 1], entries
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    model = LogBlock
    store.upsert(model, rows, add=[model.entries], minimum=[model.first], maximum=[model.last])
