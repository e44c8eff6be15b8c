"""Random faults, several at once, every second or two, under load: `python -m tests.faults.storm 600 [SEED]`.

Kills and freezes of processes and servers, orderly stops of processes, deaths at a step; Redis forgets what it has. No
network, disk, clock or topic: those the matrix has. Whatever ends by itself is started again. At the end everything
runs, and the invariants hold.
"""

from __future__ import annotations

import heapq
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from random import Random

from cli.child import wait_until
from pipeline.checkpoint import VARIABLE
from tests import seed as seeds
from tests.faults import invariants
from tests.faults.load import Journal, load
from tests.faults.steps import CODES, SELDOM, STEPS
from tests.faults.supervised import UNAVAILABLE
from tests.faults.witness import RESIDENT_MB, watched
from tests.integration.pipeline import PATIENCE, PROCESSES, Pipeline, running_on

SERVERS = ("kafka", "redis", "cache", "database")
PAUSE_SECONDS = (1.0, 2.0)
FAULT_SECONDS = (0.2, 6.0)
STOP_SECONDS = 10.0
# Told to stop, also before it listens to that, and killed.
ENDED = (0, -15, -9)
# As when it was killed at a step, also where the child of granian or Dramatiq ended itself.
CHILD_ENDED = set(CODES.items())
# Characters of a log.
LAST_WORDS = 4_000

Undo = Callable[[], object]


class Storm:
    """What is wrong at the moment, and when each of it ends."""

    def __init__(self, pipeline: Pipeline, chance: Random) -> None:
        self._pipeline = pipeline
        self._chance = chance
        self._hurt: set[str] = set()
        self._ends: list[tuple[float, int, str, Undo]] = []
        self._numbers = count()
        self._pool = ThreadPoolExecutor(len(PROCESSES) + len(SERVERS))
        self._mending: list[Future[None]] = []
        self.faults: Counter[str] = Counter()
        self.strange: list[str] = []  # what ended with a code of no fault's, and the last that it had said
        self.ended_at = 0.0

    def run(self, seconds: float) -> None:
        """Storms for so long, then ends every fault."""
        end, following = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < end:
            self._mend(now)
            self._tend()
            if now >= following:
                self._strike(now)
                following = now + self._chance.uniform(*PAUSE_SECONDS)
            time.sleep(0.1)
        self._mend(float("inf"))
        for mending in self._mending:
            mending.result()
        self.ended_at = time.monotonic()
        # Who gives up because a server was away a moment ago is started again, too.
        assert wait_until(self._is_over, PATIENCE, 0.5), "not all is ready again"

    def _strike(self, now: float) -> None:
        whole = [name for name in (*PROCESSES, *SERVERS) if name not in self._hurt]
        if not whole:
            return
        name = self._chance.choice(whole)
        fault, undo = self._chance.choice(list(self._faults(name)))
        self.faults[f"{fault.__name__} {name}"] += 1
        fault()
        self._hurt.add(name)
        heapq.heappush(self._ends, (now + self._chance.uniform(*FAULT_SECONDS), next(self._numbers), name, undo))

    def _faults(self, name: str) -> Iterator[tuple[Callable[[], object], Undo]]:
        if name in PROCESSES:
            process = self._pipeline[name]
            yield process.kill, lambda: None
            yield process.terminate, lambda: process.wait(STOP_SECONDS)
            yield process.freeze, process.thaw
            if steps := (*STEPS.get(name, ()), *SELDOM.get(name, ())):

                def die_at_a_step() -> None:
                    process.kill()
                    self._pipeline.start(name, **{VARIABLE: self._chance.choice(steps)})

                # Whether it came to that step or not, it is started as it should be.
                yield die_at_a_step, lambda: self._pipeline[name].kill()
            return
        server = self._pipeline.backend.servers[name]
        yield server.kill, server.start
        yield server.freeze, server.thaw
        if name == "redis":
            yield self._pipeline.forget_messages, lambda: None
        elif name == "cache":
            yield self._pipeline.forget_statistics, lambda: None

    def _mend(self, until: float) -> None:
        while self._ends and self._ends[0][0] <= until:
            _, _, name, undo = heapq.heappop(self._ends)
            self._mending.append(self._pool.submit(self._undo, name, undo))

    def _undo(self, name: str, undo: Undo) -> None:
        # In a thread: a broker takes seconds to start, and the storm goes on.
        undo()
        self._hurt.discard(name)

    def _is_over(self) -> bool:
        self._tend()
        return all(map(self._pipeline.answers, PROCESSES))

    def _tend(self) -> None:
        for name in PROCESSES:
            if name not in self._hurt and not self._pipeline[name].alive():
                code = self._pipeline[name].poll()
                if code not in (UNAVAILABLE, *ENDED) and (name, code) not in CHILD_ENDED:
                    self.strange.append(f"{name} ended with {code}: {self._pipeline.said(name)[-LAST_WORDS:]}")
                self._pipeline.start(name)


def storm(pipeline: Pipeline, seconds: float, seed: int) -> tuple[Journal, Counter[str], float]:
    """Storms under load, and requires the invariants; returns what was sent, the faults, and seconds to recover."""
    journal, storming = Journal(pipeline.directory), Storm(pipeline, Random(seed))
    with watched(pipeline) as witness:
        with load(pipeline, journal, f"storm-{seed}"):
            storming.run(seconds)
        pipeline.settle(at_least=True)
        recovered = time.monotonic() - storming.ended_at
    assert storming.strange == [], "\n".join(storming.strange)
    assert witness.looks, "Kafka's offsets were never seen"
    assert witness.beyond == [], witness.beyond
    assert witness.largest < RESIDENT_MB, witness.peaks
    invariants.require(pipeline, journal)
    return journal, storming.faults, recovered


def main(seconds: str = "600", seed: str = "") -> int:
    """Starts everything, storms, and returns an exit code; the seed is said first."""
    number = seeds.said(seed)
    with running_on("real") as pipeline:
        try:
            journal, faults, recovered = storm(pipeline, float(seconds), number)
            lines = journal.read().lines
        except BaseException:
            pipeline.show_logs()
            raise
    for fault, times in sorted(faults.items()):
        print(f"{times:5}  {fault}")
    print(
        f"{sum(faults.values())} faults; {lines:,} lines acknowledged in {journal.uploads:,} uploads, "
        f"{journal.cut} cut and {journal.statuses[503]} refused for now; 0 lost, 0 twice; "
        f"settled {recovered:.1f} s after the last fault ended"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
