"""Nothing that we start outlives us, however we end: a watcher process sees to it.

Run as a program this file is that watcher. It needs nothing but the standard library, and starts in some 20 ms.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 3.0


class Tether:
    """Ends whole sessions once this process is gone, be it by SIGKILL.

    The watcher reads the sessions' numbers from a pipe that only we hold open: its end is our end. A child's own
    PR_SET_PDEATHSIG would not do: it is Linux only, and says nothing to the child's children.
    """

    def __init__(self, *descriptors: int) -> None:
        """Starts the watcher; `close` ends it. It keeps `descriptors` (locks) open until what we started is gone."""
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=descriptors,
        )

    def hold(self, session: int) -> None:
        """From now on `session` ends with us."""
        self._tell(f"+{session}\n")

    def release(self, session: int) -> None:
        """`session` has ended; its number may be somebody else's soon."""
        self._tell(f"-{session}\n")

    def close(self) -> None:
        """Ends what is still held, and the watcher."""
        if self._watcher.stdin:
            self._watcher.stdin.close()
        self._watcher.wait()

    def _tell(self, line: str) -> None:
        if self._watcher.stdin and not self._watcher.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._watcher.stdin.write(line.encode())


def watch(lines: Iterable[str]) -> None:
    """Follows `+SESSION` and `-SESSION` until they end, and then ends the sessions that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    held: set[int] = set()
    for line in lines:
        (held.add if line.startswith("+") else held.discard)(int(line[1:]))
    held = {session for session in held if _signalled(session, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE_SECONDS
    while held and time.monotonic() < deadline:
        time.sleep(0.05)
        held = {session for session in held if _signalled(session, 0)}
    for session in held:
        _signalled(session, signal.SIGKILL)


def _signalled(session: int, number: int) -> bool:
    try:
        os.killpg(session, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    watch(sys.stdin)
