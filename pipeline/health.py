"""Whether a process could do its work now: its dependencies, each asked and named."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

WITHIN_SECONDS = 3.0

Check = Callable[[], None]
"""Asks one dependency; raises when it does not answer as it should."""


def readiness(checks: Mapping[str, Check], within: float = WITHIN_SECONDS) -> tuple[bool, dict[str, str]]:
    """Asks all dependencies at once, and waits for `within` seconds at the most.

    Returns whether all are well, and for each name `ok` or what is wrong. A check that hangs is left behind in a thread
    of its own: it should know a time-out, if a longer one.
    """
    answers: dict[str, str] = {}

    def ask(name: str, check: Check) -> None:
        try:
            check()
        except Exception as error:
            answers[name] = str(error) or type(error).__name__
        else:
            answers[name] = "ok"

    threads = [threading.Thread(target=ask, args=item, name=f"check-{item[0]}", daemon=True) for item in checks.items()]
    deadline = time.monotonic() + within
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    said = {name: answers.get(name, f"no answer within {within:g} s") for name in checks}
    return all(answer == "ok" for answer in said.values()), said
