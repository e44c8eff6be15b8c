"""What takes too long is ended, and whatever else becomes of its task is left as it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from receiver.deadline import Deadline

SHORT, LONG = 0.01, 60.0


def running(test: Coroutine[Any, Any, None]) -> None:
    """Runs a test, which must not take long."""
    asyncio.run(asyncio.wait_for(test, 5))


async def wait(seconds: float) -> None:
    """Waits for ever, or until a deadline of so many seconds."""
    with Deadline(seconds):
        await asyncio.Event().wait()


def test_what_takes_too_long_ends_and_its_task_goes_on() -> None:
    async def test() -> None:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await wait(SHORT)
        await asyncio.sleep(SHORT)

    running(test())


def test_what_is_done_in_time_is_left_alone_afterwards() -> None:
    async def test() -> None:
        with Deadline(SHORT):
            await asyncio.sleep(0)
        await asyncio.sleep(3 * SHORT)

    running(test())


def test_what_it_makes_of_its_end_comes_out() -> None:
    async def test() -> None:
        with pytest.raises(ValueError, match="its own"), Deadline(SHORT):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise ValueError("its own") from None

    running(test())


def test_what_it_raises_itself_comes_out() -> None:
    async def test() -> None:
        with pytest.raises(ValueError, match="its own"), Deadline(LONG):
            raise ValueError("its own")

    running(test())


def test_a_task_that_somebody_else_cancels_is_cancelled() -> None:
    async def test() -> None:
        task = asyncio.create_task(wait(LONG))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    running(test())


def test_a_task_that_somebody_else_cancels_at_the_same_moment_is_cancelled() -> None:
    async def test() -> None:
        task = asyncio.create_task(wait(SHORT))
        await asyncio.sleep(0)
        # Both timers are due at once, before the task runs again.
        asyncio.get_running_loop().call_later(SHORT, task.cancel)
        time.sleep(3 * SHORT)
        with pytest.raises(asyncio.CancelledError):
            await task

    running(test())
