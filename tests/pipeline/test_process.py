"""A process's life: loops until a signal or a failure, then an orderly end."""

from __future__ import annotations

import os
import platform
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest

from pipeline.errors import ConfigurationError, TallyError, TooSlow, Unavailable
from pipeline.process import Loop, background, exit_code
from tests.servers import ROOT

PROGRAM = """
import os, threading, time
from pipeline import logging
from pipeline.process import Loop, guarded, run
from pipeline.errors import *

logging.configure("test", "INFO")

def say(word):
    # At once: two threads that print may get one's word and the other's between each other's line ends.
    os.write(1, f"{word}\\n".encode())

def once(word):
    if word not in once.said:
        once.said.add(word)
        say(word)
    return False
once.said = set()

closed = threading.Event()

def close_all():
    closed.set()
    say("closed")
    time.sleep(0.5)

def outlasting():
    once("hanging")
    closed.wait()
    raise KeyError("what was closed")

def slow():
    say("working")
    time.sleep(1.0)
    say("worked")
    return False

def raising(error):
    raise error

guarded("test", lambda: run("test", [{loops}], {close}))
"""


class Running:
    """The program above, with what it has said so far."""

    def __init__(self, loops: str, close: str = "lambda: say('closed')", program: str = PROGRAM) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program.replace("{loops}", loops).replace("{close}", close)],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, word: str) -> None:
        """Waits until the program says a word."""
        assert self.process.stdout is not None
        while (said := self.process.stdout.readline()) and said.strip() != word:
            pass
        assert said.strip() == word

    def end(self, number: int | None = None) -> tuple[int, list[str], str, float]:
        """Sends a signal; returns the exit code, the words said since, stderr, and the seconds it took."""
        before = time.monotonic()
        if number is not None:
            self.process.send_signal(number)
        try:
            out, err = self.process.communicate(timeout=15)
        finally:
            self.process.kill()
        return self.process.returncode, out.split(), err, time.monotonic() - before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_step_finish_then_closes_and_exits_with_0(number: int) -> None:
    running = Running("Loop('slow', slow, pause=60)")
    running.until("working")
    code, said, _, _ = running.end(number)
    assert (code, said) == (0, ["worked", "closed"])


# A signal whenever the main thread is about to sleep with a condition's lock held, but for the start of a thread.
INTERRUPTED = """
import os, signal
wait, start = threading.Condition.wait, threading.Thread.start

def interrupted(self, timeout=None):
    if threading.current_thread() is threading.main_thread():
        threading.Condition.wait = wait
        os.kill(os.getpid(), signal.SIGTERM)
    return wait(self, timeout)

def started(self):
    threading.Condition.wait = wait
    start(self)
    threading.Condition.wait = interrupted

threading.Thread.start = started
"""


def test_a_signal_that_comes_as_the_process_begins_to_wait_does_not_lock_it_up() -> None:
    program = PROGRAM.replace("\nguarded(", f"{INTERRUPTED}\nguarded(")
    running = Running("Loop('idle', lambda: once('idle'), pause=60)", program=program)
    running.until("idle")
    assert running.end(signal.SIGTERM)[0] == 0


def test_a_loop_that_rests_is_woken_by_the_signal() -> None:
    running = Running("Loop('idle', lambda: once('idle'), pause=60), Loop('other', lambda: once('other'), pause=60)")
    running.until("other")
    code, said, _, seconds = running.end(signal.SIGTERM)
    assert (code, said[-1]) == (0, "closed")
    assert seconds < 3


@pytest.mark.parametrize(
    ("error", "code"),
    [("Unavailable('kafka', 'gone')", 69), ("ConfigurationError('X')", 78), ("Fenced()", 1), ("KeyError('x')", 1)],
)
def test_a_raising_loop_ends_all_of_them_with_its_code_after_closing(error: str, code: int) -> None:
    running = Running(f"Loop('idle', lambda: once('idle'), pause=60), Loop('bad', lambda: raising({error}))")
    found, said, err, _ = running.end()
    assert (found, said[-1]) == (code, "closed")
    assert "bad" in err


def test_steps_that_hang_do_not_keep_the_process_past_five_seconds() -> None:
    hang = "lambda: once('hanging') or time.sleep(60)"
    running = Running(f"Loop('a', {hang}), Loop('b', {hang}), Loop('c', {hang})")
    running.until("hanging")
    code, said, _, seconds = running.end(signal.SIGTERM)
    assert (code, said) == (0, ["closed"])
    assert seconds < 5.5


def test_a_step_that_hangs_until_all_is_closed_and_then_raises_is_no_failure() -> None:
    running = Running("Loop('late', outlasting)", close="close_all")
    running.until("hanging")
    code, said, err, _ = running.end(signal.SIGTERM)
    assert (code, said) == (0, ["closed"])
    assert "ended in the middle of a step" in err
    assert "Traceback" not in err


def test_busy_loops_do_not_pause() -> None:
    loops = "Loop('count', lambda: say('step') or True, pause=60)"
    running = Running(loops)
    for _ in range(3):
        running.until("step")
    assert running.end(signal.SIGTERM)[0] == 0


def test_a_loop_in_the_background_survives_a_step_that_raises() -> None:
    steps: queue.SimpleQueue[int] = queue.SimpleQueue()
    errors = iter([OSError, TooSlow])

    def step() -> bool:
        steps.put(1)
        for error in errors:
            raise error(5)
        threading.Event().wait()  # The thread ends with the tests.
        return False

    background(Loop("keys", step, pause=0.01))
    assert [steps.get(timeout=10) for _ in range(3)] == [1, 1, 1]


ORPHAN = """
import multiprocessing, os, signal, time
from pipeline import process

def loaded_slowly():
    heard = []
    # Nobody hears the first: a server sets its handlers once it has loaded what it serves.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0) if heard else heard.append(1))
    print(os.getpid(), flush=True)
    time.sleep(0.5)
    process.end_with_parent()
    time.sleep(30)
    print("alive", flush=True)

multiprocessing.get_context("fork").Process(target=loaded_slowly).start()
time.sleep(0.2)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_whose_parent_was_killed_before_it_could_look_ends() -> None:
    # Standard output ends with the last of both.
    ended = subprocess.run([sys.executable, "-c", ORPHAN], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert ended.returncode == -signal.SIGKILL
    assert len(ended.stdout.splitlines()) == 1


@pytest.mark.parametrize("is_alone", [True, False])
def test_whoever_gives_way_lowers_its_own_session_and_nobody_elses(is_alone: bool) -> None:
    code = """
import os
from pathlib import Path
from pipeline.process import give_way
group = Path("/proc/self/autogroup")
nice = lambda: int(group.read_text().split()[-1])
# No kernel but Linux has it, and a container's session may be in none: then it is empty.
is_shared = group.exists() and group.read_text() != ""
before = is_shared and nice()
give_way(3)
print(os.nice(0), is_shared and nice() - before)
"""
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, start_new_session=is_alone, capture_output=True, text=True, check=True
    )
    nice, more = said.stdout.split()
    assert nice == str(os.nice(0) + 3)
    assert more in ("False", "3" if is_alone else "0")


def test_memory_of_large_blocks_is_given_back_when_they_are_freed() -> None:
    code = """
import os, sys
from pathlib import Path
from pipeline.process import give_back
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
if sys.argv[1] == "back":
    give_back()
# Freed, it would have smaller ones come from the heap, where one that stays holds the rest.
bytearray(8 << 20)
before = resident()
blocks = [bytearray(1 << 20) for _ in range(64)]
del blocks[:-1]
print(round((resident() - before) / (1 << 20)))
"""
    kept, back = (
        int(subprocess.run([sys.executable, "-c", code, how], cwd=ROOT, capture_output=True, check=True).stdout)
        for how in ("kept", "back")
    )
    assert back <= 2
    # Other C libraries have no such threshold.
    assert kept > 40 or platform.libc_ver()[0] != "glibc"


def test_an_error_of_ours_at_the_start_is_one_line_and_its_code() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from pipeline.process import guarded; from pipeline.errors import Unavailable\n"
            "def main(): raise Unavailable('database', 'refused')\n"
            "guarded('worker', main)",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (69, "tally worker: database is not available: refused\n")


def test_exit_codes_are_the_errors_own() -> None:
    assert [
        exit_code(error) for error in (Unavailable("redis", ""), ConfigurationError(), TallyError(), OSError())
    ] == [
        69,
        78,
        1,
        1,
    ]
