"""Looks at a pipeline while it is hurt: some things are to hold at every moment, not only once all is over."""

from __future__ import annotations

import contextlib
import gc
import threading
import warnings
from collections.abc import Callable, Iterator

from tests.faults.commits import Commits
from tests.faults.session import peak, session
from tests.integration.pipeline import PROCESSES, Pipeline

PAUSE = 0.25
# What no process of ours may ever have.
RESIDENT_MB = 300.0


class Witness:
    """What was seen: how often Kafka's offsets could be held against the plan, and which were beyond it; the most MB
    that each process of ours ever had.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._commits: Commits | None = None
        self.looks = 0
        self.beyond: list[dict[int, tuple[int, int]]] = []
        self.peaks: dict[str, float] = dict.fromkeys(PROCESSES, 0.0)

    @property
    def largest(self) -> float:
        """The most MB that a process of ours had."""
        return max(self.peaks.values())

    def look_at_memory(self) -> None:
        """Takes each process' own peak: what came between two looks is in it, unless the process has gone with it."""
        for name in PROCESSES:
            mine = max(map(peak, session(self._pipeline[name].pid)), default=0.0)
            self.peaks[name] = max(self.peaks[name], mine)

    def look_at_commits(self) -> None:
        """Holds Kafka's offsets against the plan, where both servers answer."""
        try:
            if self._commits is None:
                self._commits = Commits(self._pipeline)
            beyond = self._commits.beyond()
        except Exception:  # Whatever a client says of a server that is killed, frozen or full.
            self.close()
            return
        if beyond is not None:
            self.looks += 1
            self.beyond += [beyond] if beyond else []

    def close(self) -> None:
        """Ends the client."""
        if self._commits is not None:
            with contextlib.suppress(Exception):
                self._commits.close()
            self._commits = None


@contextlib.contextmanager
def watched(pipeline: Pipeline) -> Iterator[Witness]:
    """Looks four times a second, at each on a thread of its own: a frozen server is waited for by one look alone."""
    witness, stop = Witness(pipeline), threading.Event()

    def again(look: Callable[[], None]) -> None:
        while not stop.is_set():
            look()
            stop.wait(PAUSE)

    looks = (witness.look_at_memory, witness.look_at_commits)
    threads = [threading.Thread(target=again, args=(look,)) for look in looks]
    with _sockets_left_to_the_collector():
        for thread in threads:
            thread.start()
        try:
            yield witness
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            witness.look_at_memory()
            witness.close()


@contextlib.contextmanager
def _sockets_left_to_the_collector() -> Iterator[None]:
    """Has no warning of them, and none of them left: kafka-python closes no socket of a connection that a broker which
    was killed never took, and a later test would be blamed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
