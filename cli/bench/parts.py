"""What libraries do with lines, and how many at once: what the wall and the parts together have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from pipeline.grammar import FAST_LINE
from tasks import rows
from tasks.frame import SCHEMA

# Threads that insert rows.
WRITERS: Final = 2

_decode = msgspec.json.Decoder(list[str]).decode


def frame(uploads: Sequence[bytes]) -> pl.DataFrame:
    """The lines of uploads as columns."""
    texts = [line for upload in uploads for line in _decode(upload)]
    fields = pl.Series("text", texts, dtype=pl.String).str.extract_groups(FAST_LINE).struct.unnest()
    return fields.cast({name: kind for name, kind in SCHEMA.items() if name in fields.columns})


def statements(lines: pl.DataFrame) -> list[str]:
    """The INSERTs of those that are to be stored, as rows of batch 0."""
    kept = lines.filter(pl.col("status") != 200).with_columns(route=pl.lit(1))
    return [statement for statement, _ in rows.statements(kept, 0)] if len(kept) else []
