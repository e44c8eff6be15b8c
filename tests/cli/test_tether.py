"""Who started something may be killed; what was started goes as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.child import Child, wait_until
from cli.tether import GRACE_SECONDS, Tether
from tests.servers import ROOT, is_running

STARTER = """
import sys, time
from cli.child import Child
from cli.tether import Tether
child = Child(Tether(), "sleeper", ["sh", "-c", sys.argv[1]])
child.start()
print(child.pid, child.output.readline().decode().strip(), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    "script", ["sleep 60 & echo $!; wait", "trap '' TERM; sleep 60 & echo $!; wait"], ids=["polite", "stubborn"]
)
def test_a_killed_starter_leaves_nothing_behind(script: str) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER, script], stdout=subprocess.PIPE, cwd=ROOT) as starter:
        assert starter.stdout
        pids = [int(word) for word in starter.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_running, pids))
        starter.kill()
    assert wait_until(lambda: not any(map(is_running, pids)), GRACE_SECONDS + 5)


def test_what_was_released_is_let_alone(tmp_path: Path) -> None:
    tether = Tether()
    child = Child(tether, "sleeper", ["sleep", "60"], log=tmp_path / "log")
    child.start()
    tether.release(child.pid)
    tether.close()
    assert child.alive()
    child.kill()
    assert not child.alive()


def test_a_frozen_child_can_be_stopped(tether: Tether, tmp_path: Path) -> None:
    child = Child(tether, "sleeper", ["sleep", "60"], log=tmp_path / "log")
    child.start()
    child.freeze()
    assert child.stop(5) == -15
