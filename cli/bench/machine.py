"""What the machine is, and what its processes use."""

from __future__ import annotations

import os
import platform
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def description() -> str:
    """One line: processor, cores, memory, system."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def session(leader: int) -> list[int]:
    """The pids of a session: a process that we started in one of its own, and what it started."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _field(path, 5) == leader]


def resident(pids: list[int]) -> int:
    """Resident memory in bytes, added up; pages that are shared count in each (so this is a ceiling)."""
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(max(0, _field(Path("/proc") / str(pid), 23)) * page for pid in pids)


def cpu_seconds(pids: list[int]) -> float:
    """Processor time used so far, user and system."""
    return sum(_field(Path("/proc") / str(pid), at) for pid in pids for at in (13, 14)) / _TICKS


def _field(process: Path, at: int) -> int:
    """A field of /proc/PID/stat by its index from 0 (proc(5) counts from 1); -1 when the process is gone."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return -1
    return int(fields[at - 2])


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
