"""SIGTERM under load: every process ends in order and in time, with all of its children, and loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.child import wait_until
from tests.faults.load import Journal, load, more
from tests.faults.session import session
from tests.integration.pipeline import PATIENCE, PROCESSES, Pipeline


def test_every_process_that_is_asked_to_stop_does_so_in_time_and_loses_nothing(
    pipeline: Pipeline, journal: Journal, require_exact: Callable[[], None]
) -> None:
    with load(pipeline, journal, "stops"):
        assert more(journal)
        # Tansu waits for ever for a member that ends while it joins: the consumer is to have begun.
        assert wait_until(lambda: pipeline.ledger()["received"] > 0, PATIENCE)
        since, took = time.monotonic(), {}
        children = {name: pipeline[name] for name in PROCESSES}
        for child in children.values():
            child.terminate()
        for name, child in children.items():
            # Looked at from outside: whoever waits for a child kills what it leaves behind.
            assert wait_until(lambda pid=child.pid: not session(pid), 20), name  # type: ignore[misc]
            took[name] = time.monotonic() - since
        assert {name: child.wait(1) for name, child in children.items()} == dict.fromkeys(PROCESSES, 0)
        assert max(took.values()) < 10, took
        pipeline.start(*PROCESSES)
        pipeline.require_ready()
        assert more(journal)
    require_exact()
