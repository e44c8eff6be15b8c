"""What is noted of where the entries of a minute are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipeline.blocks import BLOCK
from pipeline.models import LogBlock
from pipeline.rollup import MINUTE
from pipeline.storage import Store
from tasks.blocks import note


def noted(store: Store, minutes: list[int], ids: list[int]) -> dict[tuple[int, int], tuple[int, int, int]]:
    """What stands after lines of these minutes of 1970 got these ids, by minute and block."""
    lines = pl.DataFrame({"minute": [at * MINUTE for at in minutes]})
    store.write(lambda: note(store, lines, np.array(ids)))
    return {tuple(row[:2]): tuple(row[2:]) for row in store.read(lambda: list(LogBlock.select().tuples()))}


@pytest.mark.parametrize("step", [1, 2])
def test_each_minute_has_its_first_and_last_id_of_each_block_and_how_many(store: Store, step: int) -> None:
    ids = [BLOCK - 4 * step + n * step for n in range(8)]
    assert noted(store, [3, 1, 3, 1, 1, 3, 1, 2], ids) == {
        (1 * MINUTE, 0): (ids[1], ids[3], 2),
        (1 * MINUTE, 1): (ids[4], ids[6], 2),
        (2 * MINUTE, 1): (ids[7], ids[7], 1),
        (3 * MINUTE, 0): (ids[0], ids[2], 2),
        (3 * MINUTE, 1): (ids[5], ids[5], 1),
    }


def test_what_is_noted_adds_to_what_stands(store: Store) -> None:
    noted(store, [1, 1], [10, 11])
    assert noted(store, [1, 2], [14, 15]) == {(1 * MINUTE, 0): (10, 14, 3), (2 * MINUTE, 0): (15, 15, 1)}
