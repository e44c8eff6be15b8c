"""`tally up`, as a person meets it: everything in one terminal, and nothing left of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli import ports
from cli.child import Child, wait_until
from cli.up import PROCESSES, STOP_SECONDS
from tests.conftest import Launch
from tests.servers import ROOT, is_running

START_SECONDS = 90


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings that name no server, and nothing that another test uses."""
    names = ("RECEIVER_PORT", "WEBAPI_PORT", "CONSUMER_ADMIN_PORT", "WORKER_ADMIN_PORT", "SCHEDULER_ADMIN_PORT")
    chosen = dict(zip(names, map(str, ports.free(5)), strict=True))
    return chosen | {"DATA_DIR": str(tmp_path / "data"), "RPS": "5", "QTY_IN_BATCH": "20"}


def test_it_starts_serves_refuses_a_second_and_stops_and_starts_again(
    launch: Launch, environment: dict[str, str]
) -> None:
    # Given a first run that is ready,
    first = launch("up", environment)
    wait_for(first, "Tally is ready")
    receiver, webapi = (f"http://127.0.0.1:{environment[name]}" for name in ("RECEIVER_PORT", "WEBAPI_PORT"))
    for url in (f"{receiver}/upload", f"'{webapi}/logs?limit=5'", f"'{webapi}/stats?type=errors&range=hour'"):
        assert f"curl -s {url}" in said(first)
    assert "keeps its log in memory only" in said(first)

    # with leave to send demo traffic,
    asked = urllib.request.Request(webapi, headers={"Accept": "text/html"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert b" data-demo-traffic" in answer.read()

    # when a line is sent, it becomes a row; and the generator's become rows as well;
    send(environment, "/mine")
    assert wait_until(lambda: rows(environment, "/mine") == 1, 20)
    assert wait_until(lambda: rows(environment, "/") > 10, 20)

    # when somebody starts another on the same directory, it is refused;
    others = {name: value for name, value in environment.items() if not name.endswith("_PORT")}
    second = launch("up", others | dict(zip(sorted(environment.keys() - others), map(str, ports.free(5)), strict=True)))
    assert second.wait(20) == 1
    assert f"process {first.pid}" in said(second)
    assert "DATA_DIR" in said(second)

    # when it is asked to stop, it does so in time and leaves nothing;
    started = descendants(first.pid)
    assert len(started) > len(PROCESSES)
    since = time.monotonic()
    assert first.stop(15) == 0
    assert time.monotonic() - since < 10
    assert wait_until(lambda: not any(map(is_running, started)), 5)

    # and the next run has the rows.
    third = launch("up", environment)
    wait_for(third, "Tally is ready")
    assert rows(environment, "/mine") == 1


def test_whoever_dies_comes_back_and_uploads_count_again(launch: Launch, environment: dict[str, str]) -> None:
    up = launch("up", environment)
    wait_for(up, "Tally is ready")
    for name in (*PROCESSES, "redis", "kafka"):
        os.killpg(child_named(up.pid, name), signal.SIGKILL)
    for name in (*PROCESSES, "redis", "kafka"):
        wait_for(up, f"{name:<9} | ended with -9")
    # The broker has forgotten the topic and is told again; a client that asked for it first has had it made (Tansu).
    assert wait_until(lambda: said(up).count("topic raw-logs\n") == 2, 60)
    assert wait_until(lambda: tried(environment, "/after"), 60, pause=1)
    assert wait_until(lambda: rows(environment, "/after") >= 1, 60)


def test_a_killed_supervisor_takes_everything_with_it(launch: Launch, environment: dict[str, str]) -> None:
    up = launch("up", environment)
    wait_for(up, "kafka")
    assert wait_until(lambda: len(descendants(up.pid)) > len(PROCESSES), 30)
    started = descendants(up.pid)
    os.kill(up.pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(is_running, started)), 10)


def test_signals_that_come_at_once_end_it_as_one_does(launch: Launch, environment: dict[str, str]) -> None:
    """`timeout` sends its signal twice: to the command, and to the group that it is in."""
    up = launch("up", environment)
    wait_for(up, "kafka")
    started = descendants(up.pid)
    for _ in range(200):
        os.kill(up.pid, signal.SIGTERM)
    assert up.wait(STOP_SECONDS + 1) == 0
    assert wait_until(lambda: not any(map(is_running, started)), 5)


def test_it_ends_once_nobody_reads_what_it_says(environment: dict[str, str]) -> None:
    with reading(environment) as up:
        assert up.stdout
        up.stdout.readline()
        started = descendants(up.pid)
        up.stdout.close()
        assert up.wait(20) == 1
        assert wait_until(lambda: not any(map(is_running, started)), 5)


def test_a_signal_ends_it_where_what_it_says_is_not_taken_from_it(environment: dict[str, str]) -> None:
    with reading(environment) as up:
        assert up.stdout
        up.stdout.readline()
        fill(up.pid)
        started = descendants(up.pid)
        up.terminate()
        up.wait(STOP_SECONDS + 5)
        assert wait_until(lambda: not any(map(is_running, started)), 5)


@contextlib.contextmanager
def reading(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A `tally up` whose output, all of it, is the test's to read."""
    argv = [sys.executable, "-m", "cli.main", "up"]
    bare = environment | {"PATH": os.environ["PATH"]}
    up = subprocess.Popen(argv, cwd=ROOT, env=bare, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield up
    finally:
        up.kill()
        up.wait()
        if up.stdout:
            up.stdout.close()


def fill(pid: int) -> None:
    """Fills the pipe that a process says everything to."""
    writer = os.open(f"/proc/{pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"\0")
    os.close(writer)


def said(child: Child) -> str:
    """All that a command has said until now."""
    assert child.log
    return child.log.read_text(errors="replace")


def wait_for(child: Child, words: str) -> None:
    """Waits until a command has said `words`."""
    assert wait_until(lambda: words in said(child) or not child.alive(), START_SECONDS), f"never said: {words}"
    assert child.alive(), f"ended with {child.poll()} without having said: {words}"


def send(environment: dict[str, str], path: str) -> None:
    """Uploads one line."""
    line = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} 184.116.4.244 POST {path} 500 971ms"
    request = urllib.request.Request(
        f"http://127.0.0.1:{environment['RECEIVER_PORT']}/upload",
        data=json.dumps([line]).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202


def tried(environment: dict[str, str], path: str) -> bool:
    """Whether an upload was accepted."""
    try:
        send(environment, path)
    except OSError:
        return False
    return True


def rows(environment: dict[str, str], path: str) -> int:
    """How many rows have a path with `path` in it."""
    url = f"http://127.0.0.1:{environment['WEBAPI_PORT']}/logs?limit=1&path={path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            body: dict[str, Any] = json.load(answer)
    except OSError:
        return -1
    return int(body["meta"]["total"])


def descendants(pid: int) -> list[int]:
    """The pids of all processes below `pid`."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def child_named(pid: int, name: str) -> int:
    """The child of `tally up` that runs process or server `name`."""
    its_own = {"kafka": "memory://tansu/", "redis": "valkey-server", "worker": "tasks.main:start"}
    words = its_own.get(name, f"cli.main\0{name}\0")
    for child in descendants(pid):
        try:
            if os.getpgid(child) == child and words in Path(f"/proc/{child}/cmdline").read_text():
                return child
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile, as those of a killed parent do
            continue
    raise AssertionError(f"{name} does not run")
