"""Crash points: a process that dies at a named step, and only there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from pipeline import checkpoint
from tests.servers import ROOT

PROGRAM = """
from pipeline.checkpoint import from_environment
step = from_environment()
for name in ("first", "second", "third"):
    print(name, flush=True)
    step(name)
"""


def run(at: str | None) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != checkpoint.VARIABLE}
    environment = inherited | ({} if at is None else {checkpoint.VARIABLE: at})
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_process_kills_itself_at_the_step_that_is_named() -> None:
    done = run("second")
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["first", "second"]


def test_without_a_name_or_with_an_unknown_one_nothing_happens() -> None:
    for at in (None, "", "fourth"):
        assert run(at).returncode == 0
