"""Whatever ends is started again, as whoever runs this in production has it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.pipeline import PROCESSES, Pipeline

UNAVAILABLE = 69


@contextmanager
def supervised(pipeline: Pipeline, *expected: int) -> Iterator[list[int | None]]:
    """Starts again what gives up: a process may exit 69 when a server is away, and with no code but the expected.

    Yields the exit codes of all that was started again.
    """
    codes: list[int | None] = []
    stop = threading.Event()

    def tend() -> None:
        while not stop.wait(0.5):
            for name in PROCESSES:
                if not pipeline[name].alive():
                    codes.append(pipeline[name].poll())
                    pipeline.start(name)

    thread = threading.Thread(target=tend)
    thread.start()
    try:
        yield codes
    finally:
        stop.set()
        thread.join()
    assert set(codes) <= {UNAVAILABLE, *expected}, codes
