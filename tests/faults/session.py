"""The processes of a session, which is what `Child` starts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tests.servers import is_running


def session(number: int) -> set[int]:
    """The pids of a session's processes that run."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(ValueError, ProcessLookupError):
            pid = int(entry.name)
            if os.getsid(pid) == number and is_running(pid):
                found.add(pid)
    return found


def resident_together(number: int) -> float:
    """The resident MB of a session's processes; pages that they share count in each."""
    return sum(map(resident, session(number)))


def resident(pid: int) -> float:
    """The resident MB of a process; none where it has ended."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def peak(pid: int) -> float:
    """The most MB that were ever resident of a process; none where it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
