"""The processes that are measured: started, waited for, and stopped at the end."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from cli import ports
from cli.child import Child, wait_until
from cli.readiness import is_ready
from cli.tether import Tether
from pipeline.errors import TallyError
from pipeline.settings import Settings

START_SECONDS = 60.0


class Command(NamedTuple):
    """A Python module to run, its arguments, how one sees that it can be used, and what is added to its environment."""

    arguments: tuple[str, ...]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = MappingProxyType({})


def ours(settings: Settings, name: str) -> Command:
    """One of the pipeline's processes."""
    return Command(("cli.main", name), partial(is_ready, settings, name))


def listening(module: str, port: int, *arguments: str) -> Command:
    """A server that is given its port first, and ready when it listens there."""
    return Command((module, str(port), *arguments), partial(ports.is_taken, port))


@contextlib.contextmanager
def running(settings: Settings, commands: Mapping[str, Command]) -> Iterator[dict[str, int]]:
    """Processes by name, all of them ready: their pids. Raises TallyError where one does not become so."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    logs = {name: settings.data_dir / f"{name}.log" for name in commands}
    with contextlib.closing(Tether()) as tether:
        children = {
            name: Child(
                tether,
                name,
                [sys.executable, "-m", *command.arguments],
                environment=os.environ | command.environment,
                log=logs[name],
            )
            for name, command in commands.items()
        }
        try:
            for child in children.values():
                child.start()
            for name, command in commands.items():
                if not wait_until(command.is_ready, START_SECONDS):
                    raise TallyError(f"the {name} is not ready: {logs[name]} says why")
            yield {name: child.pid for name, child in children.items()}
        finally:
            for child in children.values():
                child.stop()
