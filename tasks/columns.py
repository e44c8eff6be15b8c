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
    found, starts = np.unique(keys[order], return_index=True)
    return zip(found.tolist(), np.split(order, starts)[1:], strict=True)


def runs(first: Numbers, second: Numbers) -> Numbers:
    """Where each run of equal pairs begins."""
    begins = np.ones(len(first), dtype=np.bool_)
    begins[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    return np.flatnonzero(begins)
