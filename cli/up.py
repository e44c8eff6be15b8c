"""`tally up`: the whole pipeline in one terminal, with servers of its own for whatever the settings do not name."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import click

from cli import embedded, ports
from cli.banner import banner
from cli.child import Child, wait_until
from cli.embedded import Server
from cli.lock import locked
from cli.readiness import is_ready
from cli.supervisor import Service, Supervisor
from cli.tether import Tether
from pipeline import exposure
from pipeline.errors import TallyError, Unavailable
from pipeline.settings import Settings

LISTENERS = ("receiver", "webapi", "consumer", "worker", "scheduler")
PROCESSES = (*LISTENERS, "generator")
# Together within STOP_SECONDS, which are promised.
PROCESSES_STOP_SECONDS = 6.0
SERVERS_STOP_SECONDS = 2.5
STOP_SECONDS = 10
SLOW_START_SECONDS = 60.0
COLOURS = dict(
    zip((*PROCESSES, "kafka", "redis", "migrate"), cycle(("cyan", "green", "yellow", "blue", "magenta")), strict=False)
)


def run(settings: Settings) -> int:
    """Runs everything until SIGINT, SIGTERM or SIGHUP, and leaves nothing behind.

    Raises ConfigurationError before anything starts where strangers could reach a process and nobody said so, or a port
    is in use, and later in its words where a process cannot start with these settings; TallyError where another
    `tally up` has the same DATA_DIR or the migration fails, Unavailable for an embedded server that does not start;
    BrokenPipeError once nobody reads what it says.
    """
    ending = _Ending()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.ask())
    for process in LISTENERS:
        exposure.require_decided(settings, ports.host(settings, process))
    directory = settings.data_dir.resolve()
    with locked(directory) as lock:
        ports.require_free(settings, *LISTENERS)
        with contextlib.closing(Tether(lock)) as tether:
            supervisor = Supervisor(ending.relay)
            try:
                return _Up(settings, directory, tether, supervisor, ending).run()
            finally:
                supervisor.stop()


class _Ending:
    """Whether the run is to end: a signal asks for it, or that nobody reads what is said any more.

    Not an event: a second signal that arrives while the first holds the event's own lock would wait for it for ever,
    and `timeout` sends two.
    """

    def __init__(self) -> None:
        self.asked = False
        self.unread: BrokenPipeError | None = None

    def ask(self) -> None:
        """From now on the run is to end; where it does not in time, the kernel ends it, and the tether the rest."""
        if not self.asked:
            self.asked = True
            # A pipe that nobody empties holds up whoever writes to it, signals or not.
            signal.alarm(STOP_SECONDS)

    def say(self, text: str, err: bool = True, color: bool | None = None) -> None:
        """Says `text` on stderr, or without `err` on stdout."""
        try:
            click.echo(text, err=err, color=color)
        except BrokenPipeError as error:
            self.unread = error
            self.ask()

    def relay(self, name: str, line: str) -> None:
        """Says what a child said: taken from it even when nobody reads it, for it would block."""
        color = False if os.environ.get("NO_COLOR") else None
        self.say(f"{click.style(f'{name:<9}', fg=COLOURS[name])} | {line}", color=color)


class _Up:
    """One run, from the first server to the signal that ends it."""

    def __init__(
        self, settings: Settings, directory: Path, tether: Tether, supervisor: Supervisor, ending: _Ending
    ) -> None:
        self._settings = settings
        self._tether = tether
        self._supervisor = supervisor
        self._ending = ending
        self._servers, self._given = _own_servers(settings, directory)

    def run(self) -> int:
        for step in (self._start_servers, self._migrate, self._start_processes):
            if not self._ending.asked:
                step()
        self._tend()
        if self._ending.unread:
            raise self._ending.unread
        return 0

    def _start_servers(self) -> None:
        services = []
        for server in self._servers:
            # A broker that forgot its topic gets it back.
            again = self._service("migrate", once=True) if server.name == "kafka" else None
            services.append(Service(Child(self._tether, server.name, server.argv), afterwards=again))
        self._supervisor.start(*services, stop_seconds=SERVERS_STOP_SECONDS)
        for server in self._servers:
            if not self._until(server.answers, 20):
                raise Unavailable(server.name, "the embedded server did not start; its own words are above")

    def _migrate(self) -> None:
        migration = self._service("migrate", once=True)
        self._supervisor.start(migration, stop_seconds=PROCESSES_STOP_SECONDS)
        self._until(lambda: not migration.child.alive(), float("inf"))
        if code := migration.child.poll():
            error = TallyError("the migration failed; its own words are above")
            error.exit_code = code
            raise error

    def _start_processes(self) -> None:
        processes: tuple[str, ...] = PROCESSES
        if self._settings.require_api_keys and not self._settings.api_key:
            processes = LISTENERS
            self._ending.say("no generator: REQUIRE_API_KEYS is on, and API_KEY is not set (`tally keys create`)")
        self._supervisor.start(*map(self._service, processes), stop_seconds=PROCESSES_STOP_SECONDS)

    def _tend(self) -> None:
        # In a thread: a process that is not ready may take seconds to say so, and children die meanwhile.
        threading.Thread(target=self._announce_when_ready, name="readiness", daemon=True).start()
        while not self._ending.asked:
            self._supervisor.tend()
            time.sleep(0.2)
        self._ending.say("stopping")

    def _announce_when_ready(self) -> None:
        waiting = list(LISTENERS)
        patience = time.monotonic() + SLOW_START_SECONDS
        while waiting and not self._ending.asked:
            time.sleep(0.2)
            waiting = [process for process in waiting if not is_ready(self._settings, process)]
            if waiting and time.monotonic() > patience:
                self._ending.say(f"still waiting for {', '.join(waiting)}: their logs say why")
                patience = float("inf")
        if not self._ending.asked:
            self._ending.say(banner(self._settings, self._given, datetime.now(UTC)), err=False)

    def _service(self, command: str, once: bool = False) -> Service:
        argv = [sys.executable, "-m", "cli.main", command]
        return Service(Child(self._tether, command, argv, environment=os.environ | self._given), once=once)

    def _until(self, probe: Callable[[], bool], seconds: float) -> bool:
        return wait_until(lambda: self._ending.asked or probe(), seconds)


def _own_servers(settings: Settings, directory: Path) -> tuple[list[Server], dict[str, str]]:
    """The servers that nobody named, and settings where nobody gave any: what leads our processes to them, a demo."""
    servers: list[Server] = []
    given: dict[str, str] = {"TARGET_API_URL": f"{ports.address(settings, 'receiver')}/upload", "DEMO_TRAFFIC": "1"}
    kafka_port, redis_port = ports.free(2)
    if not settings.names("kafka_bootstrap_servers"):
        servers.append(embedded.kafka(kafka_port))
        given["KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{kafka_port}"
    if not (settings.names("redis_url") and settings.names("cache_url")):
        (directory / "redis").mkdir(exist_ok=True)
        servers.append(embedded.valkey(redis_port, directory / "redis"))
        given["REDIS_URL"] = f"redis://127.0.0.1:{redis_port}/0"
        given["CACHE_URL"] = f"redis://127.0.0.1:{redis_port}/1"
    given["DATABASE_URL"] = f"sqlite:///{directory}/tally.db"
    return servers, {name: value for name, value in given.items() if not settings.names(name.lower())}
