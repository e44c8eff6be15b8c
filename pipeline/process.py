"""How a process of ours lives: loops in threads, signals, an orderly end."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import structlog

from pipeline.errors import TallyError

log = structlog.get_logger(__name__)

# Seconds that steps in hand have, all together, once the process is to stop.
GRACE = 4.0
_SESSION = Path("/proc/self/autogroup")
# glibc's: from so many bytes malloc asks the system for a block of its own, which goes back when it is freed, as does
# what is free at a heap's end. Both begin at _LARGE, and each such block that is freed would raise them, up to 32 and
# 64 MiB. Where they stay, all processes under load have 90 MB less of 684.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _LARGE = -1, -3, 128 * 1024


@dataclass(frozen=True)
class Loop:
    """A step run again and again in a thread of its own until the process stops.

    `step` returns whether there was work; where there was none, `pause` seconds pass before the next.
    """

    name: str
    step: Callable[[], bool]
    pause: float = 0.0


def run(name: str, loops: Sequence[Loop], close: Callable[[], None]) -> int:
    """Runs `loops` until SIGTERM, SIGINT, or until one of them raises; then calls `close`.

    Returns the exit code: 0 after a signal, else the error's own (69 for a server that is away, 1 for the rest).
    A loop is never interrupted: its step must return within a few seconds. One that does not, because a server hangs,
    goes on with what is closed under it, and whatever it then raises is no failure.
    """
    stop, closing = threading.Event(), threading.Event()
    # Not an event: a signal that arrives while this thread takes the event's own lock would wait for it for ever.
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()
    failures: list[BaseException] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.put(None))

    def live(loop: Loop) -> None:
        try:
            while not stop.is_set():
                if not loop.step():
                    stop.wait(loop.pause)
        except Exception as error:
            if closing.is_set():
                log.info("ended in the middle of a step", loop=loop.name, error=repr(error))
            else:
                failures.append(error)
                report(error, loop=loop.name)
        finally:
            ended.put(None)

    threads = [threading.Thread(target=live, args=(loop,), name=loop.name, daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    log.info("started", name=name)
    ended.get()
    stop.set()
    deadline = time.monotonic() + GRACE
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    closing.set()
    close()
    log.info("stopped", name=name)
    return exit_code(failures[0]) if failures else 0


def background(loop: Loop) -> None:
    """Runs a loop in a daemon thread until the process ends, for processes whose life is a server's: a step that raises
    is said, and the next one comes."""

    def live() -> None:
        while True:
            try:
                if loop.step():
                    continue
            except Exception as error:
                report(error, loop=loop.name)
            time.sleep(loop.pause)

    threading.Thread(target=live, name=loop.name, daemon=True).start()


def end_with_parent() -> None:
    """Has this process end in order once the one that started it is gone, as it may be already: nobody else would."""
    forked_by = multiprocessing.parent_process()
    parent = os.getppid() if forked_by is None else forked_by.pid

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        # Again, where nobody heard it: a server takes signals only once it has loaded what it serves.
        while True:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def give_way(nice: int) -> None:
    """Has this process, and those it starts, stand back where processor time is short, by so much as `nice` says."""
    os.nice(nice)
    # Where Linux gives each session a share, `nice` counts within it alone, and this is the session's own. It may be a
    # terminal's, with more in it than us.
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            _SESSION.write_text(str(nice))


def give_back(large: int = _LARGE) -> None:
    """Has this process, and those it forks, give blocks of `large` bytes and more back to the system as they are freed.

    Once is enough; where the C library is not glibc, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for threshold in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            mallopt(threshold, large)


def report(error: BaseException, **where: object) -> None:
    """Logs an error that ends something: ours in a sentence, anything else with its traceback."""
    log.error("failed", error=str(error), exc_info=not isinstance(error, TallyError), **where)


def exit_code(error: BaseException) -> int:
    """The exit code that says what ended a process."""
    return error.exit_code if isinstance(error, TallyError) else 1


def guarded(name: str, main: Callable[[], int]) -> NoReturn:
    """Ends the Python process with what `main` returns, or with its error's code and one line on stderr."""
    try:
        sys.exit(main())
    except TallyError as error:
        print(f"tally {name}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
