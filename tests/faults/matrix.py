"""Every fault, done to every part: `python -m tests.faults.matrix [WORDS]` prints a line for each cell whose name has
all the words; the outages of ten minutes only where it is asked for some words, like `away`.

After each cell the invariants are counted, what is lost and what is there twice, and how long it took from the fault's
end until all that was acknowledged was counted and a new upload was a row.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from cli.tether import Tether
from tests import servers
from tests.faults import faults, invariants
from tests.faults.faults import (
    ACK,
    COMMIT,
    COMMIT_OFFSETS,
    ENQUEUE,
    PRODUCE,
    UPLOAD,
    Fault,
    again,
    cut,
    elsewhen,
    frozen,
    full,
    killed,
    restored,
    swallowed,
    unheard,
)
from tests.faults.scene import Scene, make_disks, may_mount, staged
from tests.faults.witness import RESIDENT_MB, Witness, watched

RECOVERED_SECONDS = 60.0
SHORT, LONG = 10.0, 70.0
FULL, CLOCK, RESTORED = "disk full 10 s", "clock ± 90 s", "restored from a backup"

VICTIMS = {
    "receiver": "receiver",
    "Kafka": "kafka",
    "consumer": "consumer",
    "Redis": "redis",
    "actor": "worker",
    "MySQL": "database",
}
CLIENT = ("client", "receiver")
OURS = ("receiver", "consumer", "worker")


class Cell(NamedTuple):
    """One fault done to one part; `after` is what holds then."""

    fault: str
    part: str
    do: Fault
    after: Callable[[Scene], None]

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return f"{self.fault}: {self.part}"

    @property
    def sets_back(self) -> bool:
        """Whether the fault itself puts Kafka's offsets before MySQL's plan: at its end alone they are behind it."""
        return self.fault.startswith(RESTORED) or self.do in (faults.reset, faults.regrown)


def exactly(scene: Scene) -> None:
    """Everything that was acknowledged is counted once."""
    invariants.require(scene.pipeline, scene.journal)


def said(scene: Scene) -> None:
    """Everything that was acknowledged is counted once, or written off and said to be."""
    invariants.require_said(scene.pipeline, scene.journal)


def _of(part: str, *servers_: str) -> list[tuple[str, str]]:
    return [(part, server) for server in servers_]


def _cells() -> list[Cell]:
    """The matrix, row by row."""
    networks = {
        "receiver": [CLIENT],
        "Kafka": [(process, "kafka") for process in OURS],
        "consumer": _of("consumer", "kafka", "database", "redis"),
        "Redis": [("consumer", "redis"), ("worker", "redis")],
        "actor": _of("worker", "kafka", "database", "redis"),
        "MySQL": [(process, "database") for process in OURS],
    }
    unheard_ = {
        "receiver": unheard((*CLIENT, UPLOAD)),
        "Kafka": unheard(("receiver", "kafka", PRODUCE)),
        "consumer": unheard(("consumer", "database", COMMIT), ("consumer", "kafka", COMMIT_OFFSETS)),
        "Redis": unheard(("consumer", "redis", ENQUEUE)),
        "actor": unheard(("worker", "redis", ACK)),
        "MySQL": unheard(("worker", "database", COMMIT)),
    }
    rows: list[tuple[str, dict[str, Fault], Callable[[Scene], None]]] = [
        ("kill -9", {part: killed(name) for part, name in VICTIMS.items()}, exactly),
        (f"SIGSTOP {SHORT:.0f} s", {part: frozen(name, SHORT) for part, name in VICTIMS.items()}, exactly),
        (f"SIGSTOP {LONG:.0f} s", {part: frozen(name, LONG) for part, name in VICTIMS.items()}, exactly),
        ("reply lost after execution", unheard_, exactly),
        ("black hole 10 s, delay", {part: swallowed(*pairs) for part, pairs in networks.items()}, exactly),
        (FULL, {part: full(VICTIMS[part]) for part in ("Kafka", "Redis", "MySQL")}, exactly),
        (CLOCK, {part: elsewhen(VICTIMS[part]) for part in ("receiver", "consumer", "actor")}, exactly),
        (
            "connections killed, FLUSHALL",
            {
                "consumer": again(cut(*networks["consumer"])),
                "Redis": again(faults.forgotten),
                "actor": again(cut(*networks["actor"])),
                "MySQL": faults.disconnected_and_restarted,
            },
            exactly,
        ),
        (
            "delivered thrice, replaced, offsets reset",
            {"actor": faults.thrice, "consumer": faults.replaced, "Kafka": faults.reset},
            exactly,
        ),
        ("log cut and regrown", {"Kafka": faults.regrown}, exactly),
        ("topic made again under uploads", {"receiver": faults.made_again}, exactly),
        ("topic made again, retention passed", {"consumer": faults.recreated, "Kafka": faults.retained}, said),
        (
            RESTORED,
            {
                "consumer": restored(faults.nothing, faults.nothing),
                "actor": restored(faults.frozen_worker, faults.thawed_worker),
                "MySQL": restored(faults.everything_killed, faults.nothing),
            },
            exactly,
        ),
    ]
    return [Cell(row, part, do, after) for row, parts, after in rows for part, do in parts.items()]


CELLS = _cells()
# For those who ask for them: they last as long as they say.
OUTAGES = [
    Cell("away 600 s", "MySQL", killed("database", 600), exactly),
    Cell("away 600 s", "Redis", killed("redis", 600), exactly),
    Cell("away 120 s", "Kafka", killed("kafka", 120), exactly),
]


def lack(cell: Cell) -> str:
    """What this machine has not that a cell needs; nothing where it can be filled."""
    if cell.fault.startswith(FULL) and not may_mount():
        return "only root can mount a small disk"
    if cell.fault.startswith(CLOCK) and faults.faketime() is None:
        return "there is no libfaketime"
    return ""


class Outcome(NamedTuple):
    """What came of a cell: lines, seconds to recover, how often a process of ours was started again, and what was
    seen all the while.
    """

    lines: int
    lost: int
    twice: int
    written_off: int
    recovered: float
    restarts: int
    witness: Witness

    def row(self, cell: Cell) -> str:
        """A row of the table."""
        numbers = (
            f"{self.lines:,}",
            self.lost,
            self.twice,
            self.written_off,
            f"{self.recovered:.1f}",
            self.restarts,
            f"{self.witness.largest:.0f}",
        )
        return " | ".join(("", cell.fault, cell.part, *map(str, numbers), "")).strip()


HEADER = """\
| fault | done to | lines | lost | twice | written off | recovered, s | restarts | largest process, MB |
|---|---|---|---|---|---|---|---|---|"""


def fill(cell: Cell, scene: Scene) -> Outcome:
    """Does a cell's fault under load, waits until all is over, and counts."""
    before = len(scene.exits)
    with watched(scene.pipeline) as witness:
        with scene.load(cell.name):
            cell.do(scene)
            ended = time.monotonic()
            scene.more()
        scene.pipeline.settle(at_least=True)
        invariants.require_visible(scene.pipeline, scene.journal)
        recovered = time.monotonic() - ended
    classes, acknowledged = invariants.counted(scene.pipeline), scene.journal.read()
    lost, twice = invariants.lost_and_twice(scene.pipeline, acknowledged, classes)
    restarts = len(scene.exits) - before
    return Outcome(acknowledged.lines, lost, twice, classes["lost"], recovered, restarts, witness)


def require(cell: Cell, scene: Scene, outcome: Outcome) -> None:
    """Asserts that a cell holds."""
    assert (outcome.lost, outcome.twice) == (0, 0)
    cell.after(scene)
    assert outcome.recovered < RECOVERED_SECONDS
    assert outcome.witness.largest < RESIDENT_MB, outcome.witness.peaks
    if not cell.sets_back:
        assert outcome.witness.looks, "Kafka's offsets were never seen"
        assert outcome.witness.beyond == [], outcome.witness.beyond


@contextlib.contextmanager
def logs_of(scene: Scene) -> Iterator[None]:
    """Shows what the processes said where something raises."""
    try:
        yield
    except BaseException:
        scene.pipeline.show_logs()
        raise


def main(*words: str) -> int:
    """Fills the cells whose names have all the words; returns an exit code: 1 where one did not hold, 2 where one was
    left out, or none was meant.
    """
    cells = [*CELLS, *OUTAGES] if words else CELLS
    chosen = [cell for cell in cells if all(word in cell.name for word in " ".join(words).split())]
    left_out = [f"NOT FILLED: {cell.name} ({lack(cell)})" for cell in chosen if lack(cell)]
    failed = 0
    print(f"{len(chosen) - len(left_out)} of {len(chosen)} cells", *left_out, "", HEADER, sep="\n", flush=True)
    if len(left_out) == len(chosen):
        return 2
    with (
        servers.running("real", make_disks if may_mount() else lambda _: None) as backend,
        contextlib.closing(Tether()) as tether,
    ):
        for cell in itertools.filterfalse(lack, chosen):
            try:
                with (
                    tempfile.TemporaryDirectory() as directory,
                    staged(backend, tether, Path(directory)) as scene,
                    logs_of(scene),
                ):
                    outcome = fill(cell, scene)
                    print(outcome.row(cell), flush=True)
                    require(cell, scene, outcome)
            except Exception:
                failed += 1
                print(f"| {cell.fault} | {cell.part} | did not hold |", flush=True)
                traceback.print_exc()
            backend.mend()
    # Once more, for whoever sees the end alone: what was left out did not hold either.
    for line in left_out:
        print(line, file=sys.stderr)
    return 1 if failed else 2 if left_out else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
