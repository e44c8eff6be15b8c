"""What the machine is, and what its processes use."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def description() -> str:
    """One line: processor, cores, memory, system."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _said(Path("/proc/cpuinfo")).splitlines()
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {cores()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def cores() -> int:
    """How many there are for this process."""
    return len(os.sched_getaffinity(0))


def session(leader: int) -> list[int]:
    """The pids of a session: a process that we started in one of its own, and what it started."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _field(path, 5) == leader]


def listening(port: int) -> list[int]:
    """The pids that listen on a TCP port of this machine; none where that cannot be seen."""
    rows = [line.split() for table in ("tcp", "tcp6") for line in _said(Path("/proc/net") / table).splitlines()[1:]]
    # proc(5): address and port in hexadecimal, then the state, of which 0A listens; the tenth field is the inode.
    sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if sockets & _open_files(path)]


def resident(pids: list[int]) -> int:
    """Resident memory in bytes of all together: a page that several share counts once (the kernel's `Pss`, in kB)."""
    rows = [line.split() for pid in pids for line in _said(Path("/proc") / str(pid) / "smaps_rollup").splitlines()]
    return sum(int(row[1]) for row in rows if row[0] == "Pss:") * 1024


def cpu_seconds(pids: list[int]) -> float:
    """Processor time used so far, user and system."""
    return sum(_field(Path("/proc") / str(pid), at) for pid in pids for at in (13, 14)) / _TICKS


def _field(process: Path, at: int) -> int:
    """A field of /proc/PID/stat by its index from 0 (proc(5) counts from 1); 0 when the process is gone."""
    fields = _said(process / "stat").rpartition(")")[2].split()
    return int(fields[at - 2]) if fields else 0


def _open_files(process: Path) -> set[str]:
    found = set()
    with suppress(OSError):  # not ours to look at, or gone
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                found.add(str(link.readlink()))
    return found


def _said(path: Path) -> str:
    """What a file of the kernel's says; nothing where it is not there, any more or at all."""
    with suppress(OSError):
        return path.read_text()
    return ""
