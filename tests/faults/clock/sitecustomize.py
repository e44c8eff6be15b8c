"""Loaded by a process whose clock libfaketime sets: version 0.9.10 makes Python's own sleep fail (EINVAL)."""

import select
import time

time.sleep = lambda seconds: select.select((), (), (), seconds) and None  # type: ignore[assignment]
