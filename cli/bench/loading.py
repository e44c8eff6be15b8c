"""Starts the load's process, and takes what it says."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import msgspec

from cli.bench.load import Plan, Sent
from pipeline.errors import TallyError


@contextlib.contextmanager
def loading(plan: Plan) -> Iterator[subprocess.Popen[bytes]]:
    """The load's process, at work on a plan."""
    argv = [sys.executable, "-m", "cli.bench.load"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(plan))
        process.stdin.close()
        yield process


def sent_by(process: subprocess.Popen[bytes]) -> Sent:
    """What a load's process sent, once it has ended. Raises TallyError where it failed: it has said why."""
    assert process.stdout is not None
    said = process.stdout.read()
    if code := process.wait():
        raise TallyError(f"the load ended with exit code {code}")
    return msgspec.json.decode(said, type=Sent)
