"""Processes killed and frozen under load: what was acknowledged is counted exactly once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from cli.child import wait_until
from tests.faults.load import Journal, load, more
from tests.faults.session import session
from tests.integration.pipeline import PATIENCE, PROCESSES, Pipeline

Require = Callable[[], None]


@pytest.mark.real_only
def test_each_process_killed_and_redis_flushed_loses_and_repeats_nothing(
    pipeline: Pipeline, journal: Journal, require_exact: Require
) -> None:
    # Given clients that upload all the while,
    with load(pipeline, journal, "kills"):
        assert more(journal)
        # when each of the five processes is killed, with its children, and started again,
        for name in PROCESSES:
            pipeline[name].kill()
            if name == "consumer":
                # (and Redis forgets what waits for the workers, and all that it holds for us)
                pipeline.forget_messages()
                pipeline.forget_statistics()
            if name != "receiver":
                assert more(journal, 5)
            pipeline.start(name)
            pipeline.require_ready(name)
            assert more(journal, 5)
    # then every acknowledged line is counted once.
    assert journal.cut > 0
    require_exact()


def test_all_processes_killed_at_once_lose_and_repeat_nothing(
    pipeline: Pipeline, journal: Journal, require_exact: Require
) -> None:
    with load(pipeline, journal, "all"):
        assert more(journal)
        # The workers first, so that there are batches that nobody does, and then no message that tells of them.
        for names in (("worker",), ("webapi", "scheduler", "consumer", "receiver")):
            if "worker" not in names:
                assert wait_until(lambda: pipeline.ledger()["pending"] > 0, PATIENCE)
            for name in names:
                # The parent alone, which is all that whoever supervises it knows: its children are to go by themselves.
                os.kill(pipeline[name].pid, signal.SIGKILL)
            for name in names:
                assert wait_until(lambda name=name: not session(pipeline[name].pid), 15), name  # type: ignore[misc]
                assert pipeline[name].wait(5) == -signal.SIGKILL
        pipeline.forget_messages()
        pipeline.start(*PROCESSES)
        pipeline.require_ready()
        assert more(journal)
    require_exact()


@pytest.mark.real_only
def test_a_frozen_consumer_and_worker_are_fenced_when_they_thaw(
    pipeline: Pipeline, journal: Journal, require_exact: Require
) -> None:
    with load(pipeline, journal, "frozen"):
        assert more(journal)
        for name in ("worker", "consumer"):
            pipeline[name].freeze()
        # Longer than a session in Kafka's group lasts, and than repair waits before it sends again.
        time.sleep(8)
        for name in ("worker", "consumer"):
            pipeline[name].thaw()
        pipeline.require_ready()
    require_exact()
