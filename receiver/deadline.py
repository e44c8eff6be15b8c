"""Ending what takes too long."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadline:
    """A context whose task is cancelled after some seconds, and which then raises TimeoutError.

    As `asyncio.timeout`, which with its coroutines and its looks for the loop costs twice as much, at every upload.
    """

    __slots__ = ("_before", "_is_over", "_task", "_timer")

    def __init__(self, seconds: float, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Begins at once, in the task that runs on `loop`: where that is not given, asking for it is a system call."""
        task = asyncio.current_task(loop)
        assert task is not None
        self._task = task
        self._before = task.cancelling()
        self._is_over = False
        self._timer = task.get_loop().call_later(seconds, self._end)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # Somebody else may have cancelled the task as well: then that is what ends it.
        if self._is_over and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()
