"""A pipeline that can be hurt anywhere: a proxy between each process and each server that it speaks to."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from cli.child import Child, wait_until
from cli.tether import Tether
from tests.faults.load import Journal, load, more
from tests.faults.proxy import Proxy, proxied
from tests.faults.supervised import supervised
from tests.integration.pipeline import PATIENCE, PROCESSES, Pipeline
from tests.servers import DETOURS, Backend, Handle

SETTINGS = {"database": "DATABASE_URL", "redis": "REDIS_URL"}
# 0 and SIGKILL: what a fault itself does to a process.
HURT = (0, -9)
DISK_BYTES = 512 * 1024 * 1024
DISKS = ("kafka", "redis", "mariadb")


class Scene:
    """A pipeline and what was acknowledged by it. `proxies` are by process and server, and `("client", "receiver")`.

    `exits` has the exit codes of all processes that ended and were started again.
    """

    def __init__(self, pipeline: Pipeline, proxies: dict[tuple[str, str], Proxy], exits: Sequence[int | None]) -> None:
        self.pipeline = pipeline
        self.proxies = proxies
        self.exits = exits
        self.journal = Journal(pipeline.directory)
        self.resting: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext

    @contextlib.contextmanager
    def load(self, name: str) -> Iterator[None]:
        """Clients that upload all the while, and get through at first; `resting()` has them rest."""
        with load(self.pipeline, self.journal, quote(name, safe="")) as self.resting:
            self.more()
            yield

    def victim(self, name: str) -> Child | Handle:
        """A process, or a server."""
        return self.pipeline[name] if name in PROCESSES else self.server(name)

    def server(self, name: str) -> Handle:
        """A server."""
        return self.pipeline.backend.servers[name]

    def disk(self, name: str) -> Path:
        """The directory of a server's data."""
        return self.pipeline.backend.directory / {"database": "mariadb"}.get(name, name)

    def restart(self, name: str, **settings: str) -> None:
        """Has a process end and be started with settings of its own; waits until it is."""
        self.pipeline.own[name], before = {**self.pipeline.own.get(name, {}), **settings}, self.pipeline[name].pid
        self.pipeline[name].terminate()
        assert wait_until(lambda: self.pipeline[name].pid != before, PATIENCE), name
        self.pipeline.require_ready(name)

    def more(self) -> None:
        """Waits until the load gets through."""
        assert more(self.journal, 5), self.journal.statuses

    def pile_up(self) -> None:
        """Freezes the worker, and waits until batches are pending."""
        self.pipeline["worker"].freeze()
        assert wait_until(lambda: self.pipeline.ledger()["pending"] > 0, PATIENCE)

    def await_rows(self) -> None:
        """Waits until all that was acknowledged is done; nothing may come meanwhile."""
        self.pipeline.expected = self.journal.read().lines
        self.pipeline.settle(at_least=True)

    def await_plan(self) -> None:
        """Waits until all that was acknowledged is planned; nothing may come meanwhile."""

        # What is not planned the ledger knows as far as the consumer has looked.
        def is_planned() -> bool:
            ledger = self.pipeline.ledger()
            seen = not any(part["records"] for part in ledger["not_planned"])
            return bool(seen and ledger["received"] - ledger["duplicate"] >= self.journal.read().lines)

        assert wait_until(is_planned, PATIENCE)


def may_mount() -> bool:
    """Whether `make_disks` can do it."""
    return os.geteuid() == 0


def make_disks(directory: Path) -> None:
    """Gives each server a small disk of its own, where root may; raises CalledProcessError."""
    for name in DISKS:
        (directory / name).mkdir()
        command = ("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0777", "tmpfs", str(directory / name))
        subprocess.run(command, check=True)


@contextlib.contextmanager
def backup(directory: Path, kept: Path) -> Iterator[None]:
    """Copies the data of a server that does not run; at the end, when again it does not, puts it back."""
    shutil.copytree(directory, kept, symlinks=True, ignore=shutil.ignore_patterns("socket", "pid"))
    yield
    for entry in directory.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(kept, directory, symlinks=True, dirs_exist_ok=True)


@contextlib.contextmanager
def staged(backend: Backend, tether: Tether, directory: Path) -> Iterator[Scene]:
    """A pipeline of its own in which everything passes through proxies; whatever ends is started again."""
    pipeline = Pipeline(backend, tether, directory)
    with contextlib.ExitStack() as stack:
        proxies = {}
        for name in DETOURS:
            own, said = backend.detours[name]
            proxies[name, "kafka"] = stack.enter_context(proxied(own, said))
            pipeline.own[name] = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{said}"}
            for server, setting in SETTINGS.items():
                proxy = proxies[name, server] = stack.enter_context(proxied(backend.servers[server].port))
                pipeline.own[name][setting] = re.sub(r":\d+/", f":{proxy.port}/", pipeline.environment[setting])
        door = int(pipeline.environment["RECEIVER_PORT"])
        proxies["client", "receiver"] = stack.enter_context(proxied(door))
        pipeline.doors["receiver"] = proxies["client", "receiver"].port
        stack.callback(pipeline.kill)
        pipeline.start(*PROCESSES)
        pipeline.require_ready()
        with supervised(pipeline, *HURT) as exits:
            yield Scene(pipeline, proxies, exits)
