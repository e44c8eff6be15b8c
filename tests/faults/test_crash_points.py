"""Every named step at which a process may die, once: it dies there, is started again, and all is counted once."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from cli.child import wait_until
from tests.faults.load import Journal, load, more
from tests.faults.steps import CODES, SELDOM, STEPS, dying_at
from tests.integration.pipeline import PATIENCE, Pipeline
from tests.servers import ROOT


@pytest.mark.real_only
def test_processes_that_die_at_every_step_lose_and_repeat_nothing(
    pipeline: Pipeline, journal: Journal, require_exact: Callable[[], None]
) -> None:
    with load(pipeline, journal, "crashes"), ThreadPoolExecutor() as pool:
        assert more(journal)
        # Each process dies at one of its steps after the other, while the others die at theirs.
        for dying in [pool.submit(die_at, pipeline, name, steps) for name, steps in STEPS.items()]:
            dying.result()
        pipeline.require_ready()
        assert more(journal)
    require_exact()


@pytest.mark.real_only
def test_a_consumer_that_dies_between_marking_and_sending_again_loses_and_repeats_nothing(
    pipeline: Pipeline, journal: Journal, require_exact: Callable[[], None]
) -> None:
    # Given batches that nobody works on, and whose messages are gone,
    with load(pipeline, journal, "repair"):
        assert more(journal, 5)
        pipeline["worker"].kill()
        assert more(journal, 5)
        assert wait_until(lambda: pipeline.ledger()["pending"] > 0, PATIENCE)
    pipeline.forget_messages()
    # when repair dies between marking one and sending its message, another repair sends it.
    die_at(pipeline, "consumer", SELDOM["consumer"])
    pipeline.start("worker")
    require_exact()


def test_no_step_of_the_code_is_left_out() -> None:
    sources = [file.read_text() for name in ("receiver", "consumer", "tasks") for file in (ROOT / name).glob("*.py")]
    named = {step for source in sources for step in re.findall(r'checkpoint\("([a-z._]+)"\)', source)}
    assert named == {step for steps in (*STEPS.values(), *SELDOM.values()) for step in steps}


def die_at(pipeline: Pipeline, name: str, steps: tuple[str, ...]) -> None:
    """Has a process die at one step after the other, and starts it as it should be."""
    pipeline[name].kill()
    for step in steps:
        note = pipeline.directory / f"{name}-died"
        note.unlink(missing_ok=True)
        # Also an end that is anybody's has such a code: the process' own word for it counts.
        code = pipeline.start(name, **dying_at(step, note)).wait(PATIENCE)
        assert note.exists(), f"{name} did not die at {step}: {code}"
        assert (code, note.read_text()) == (CODES[name], f"{step}\n")
    pipeline.start(name)
