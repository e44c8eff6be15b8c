"""Named steps at which a fault test has a process kill itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

Checkpoint = Callable[[str], None]

# The environment variable that names the step; never set outside the fault tests.
VARIABLE = "TALLY_CRASH_AT"


def nowhere(_step: str) -> None:
    """The default: no step is special."""


def from_environment() -> Checkpoint:
    """A checkpoint that ends this process with SIGKILL at the step that TALLY_CRASH_AT names, if it names one."""
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        return nowhere

    def checkpoint(step: str) -> None:
        if step == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint
