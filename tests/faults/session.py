"""The processes of a session: what `Child` starts is one."""

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
