"""One `tally up` a directory: a lock that its last process gives back."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cli.child import wait_until
from pipeline.errors import ConfigurationError, TallyError

ENDING_SECONDS = 5.0


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[int]:
    """The descriptor of the directory's lock; whoever inherits it holds the lock as well.

    Raises ConfigurationError where there can be none, TallyError where somebody else holds it. One whose holder was
    killed is waited for, while what the holder had started is being ended.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ConfigurationError(f"DATA_DIR: {error}") from None
    try:
        if not _lock(descriptor):
            pid = os.pread(descriptor, 32, 0).decode().strip()
            if _lives(pid) or not wait_until(lambda: _lock(descriptor), ENDING_SECONDS):
                raise TallyError(
                    f"another `tally up` (process {pid}) uses DATA_DIR {directory}: stop it, or set DATA_DIR to another"
                )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: str) -> bool:
    with contextlib.suppress(ValueError, ProcessLookupError):
        os.kill(int(pid), 0)
        return True
    return False
