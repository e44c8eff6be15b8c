"""One cell of each row of the matrix that no other test has; `make faults` fills them all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest

from cli.tether import Tether
from tests import servers
from tests.faults.matrix import CELLS, Cell, fill, lack, logs_of, require, said
from tests.faults.scene import Scene, make_disks, may_mount, staged

pytestmark = pytest.mark.real_only

SEED = int(os.environ.get("SEED", "0"))
# test_kills.py and test_servers.py kill and freeze.
ELSEWHERE = ("kill -9", "SIGSTOP")


def chosen() -> list[Cell]:
    """A cell of each row, by the seed."""
    rows = {cell.fault: [one for one in CELLS if one.fault == cell.fault and not lack(one)] for cell in CELLS}
    chance = Random(SEED)
    cells = [chance.choice(cells) for row, cells in rows.items() if cells and not row.startswith(ELSEWHERE)]
    # On one pipeline: what is written off is so for those that come after, too.
    return sorted(cells, key=lambda cell: cell.after is said)


@pytest.fixture(scope="module")
def scene(tether: Tether, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Servers of its own: what is done to a disk is not the other tests'."""
    with (
        servers.running("real", make_disks if may_mount() else lambda _: None) as backend,
        staged(backend, tether, tmp_path_factory.mktemp("matrix")) as scene,
    ):
        yield scene


@pytest.mark.parametrize("cell", chosen(), ids=lambda cell: cell.name)
def test_a_fault_costs_time_only(scene: Scene, cell: Cell) -> None:
    with logs_of(scene):
        require(cell, scene, fill(cell, scene))
