"""A process that we start: in a session of its own, ended with us, stopped in order or at once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from cli.tether import Tether


class Child:
    """A command that can be started, stopped, killed, frozen and started again.

    Signals that are not polite go to the whole session, so that the command's own children go with it.
    """

    def __init__(
        self,
        tether: Tether,
        name: str,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        """`environment` replaces ours; output goes to `log`, or without one to the pipe `output`."""
        self.name = name
        self.log = log
        self._tether = tether
        self._argv = list(argv)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._buried = True

    def start(self) -> None:
        """Starts the command; its session's number is its pid."""
        with contextlib.ExitStack() as stack:
            target = stack.enter_context(self.log.open("ab")) if self.log else subprocess.PIPE
            self._process = subprocess.Popen(
                self._argv,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._buried = False
        self._tether.hold(self.pid)

    @property
    def pid(self) -> int:
        """The pid of the command, as it was started last."""
        return self._started().pid

    @property
    def output(self) -> IO[bytes]:
        """What the command says, where it was started without a log."""
        stdout = self._started().stdout
        assert stdout is not None
        return stdout

    def poll(self) -> int | None:
        """The exit code once the command has ended, as subprocess has it; what it left of its session is killed."""
        if self._process is None or self._process.poll() is None:
            return None
        if not self._buried:
            # Once only: later the number may be somebody else's.
            self._buried = True
            self._signal_all(signal.SIGKILL)
            self._tether.release(self._process.pid)
        return self._process.returncode

    def alive(self) -> bool:
        """Whether the command was started and has not ended."""
        return self._process is not None and self.poll() is None

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None where the command still runs after `seconds`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._started().wait(seconds)
        return self.poll()

    def terminate(self) -> None:
        """Asks the command, and it alone, to stop."""
        if self.alive():
            self._signal_all(signal.SIGCONT)
            self._started().send_signal(signal.SIGTERM)

    def stop(self, seconds: float = 10.0) -> int:
        """Asks the command to stop and returns its exit code; after `seconds` it is killed."""
        self.terminate()
        return self.end(seconds)

    def end(self, seconds: float) -> int:
        """Waits for a command that was asked to stop; after `seconds` it is killed."""
        if self.wait(seconds) is None:
            self.kill()
        return self._started().returncode

    def kill(self) -> None:
        """Ends the command and all of its children at once."""
        if self.alive():
            self._signal_all(signal.SIGKILL)
            self.wait(10)

    def freeze(self) -> None:
        """Stops the clock for the command and its children, until `thaw`."""
        if self.alive():
            self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen command go on."""
        if self.alive():
            self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, f"{self.name} was not started"
        return self._process


def wait_until(probe: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Whether `probe` came true within `seconds`; it is asked at least once."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
