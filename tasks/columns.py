"""What is done once for all equal elements of a column: its distinct texts, where they stand, and runs in order. Pure.

Polars' `group_by` and `join`, and whatever is lazy, go through a thread of its own and back: where few are distinct
that costs more than the work.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.int64]


def coded(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """A column's distinct texts, in no order, and of each element the number of its text among them; nulls stay null.

    What is found for each distinct text is the column's by `gather`.
    """
    distinct = texts.drop_nulls().unique()
    return distinct, texts.cast(pl.Enum(distinct)).to_physical()


def places(keys: Numbers) -> Iterator[tuple[int, Numbers]]:
    """The distinct keys, growing, each with the positions where it stands, growing."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = runs(ordered)
    return zip(ordered[starts].tolist(), np.split(order, starts)[1:], strict=True)


def runs(*columns: Numbers) -> Numbers:
    """Where each run begins of rows that are equal in all columns."""
    begins = np.ones(len(columns[0]), dtype=np.bool_)
    begins[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return np.flatnonzero(begins)
