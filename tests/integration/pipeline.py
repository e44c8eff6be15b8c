"""The whole pipeline as processes of this machine, and a client of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import redis

from cli.child import Child, wait_until
from cli.tether import Tether
from pipeline import schema, topic
from pipeline.database import connectable
from pipeline.settings import Settings
from tests import servers
from tests.servers import ROOT, Backend

PROCESSES = ("receiver", "consumer", "worker", "scheduler", "webapi")
PORTS = {
    "receiver": "RECEIVER_PORT",
    "consumer": "CONSUMER_ADMIN_PORT",
    "worker": "WORKER_ADMIN_PORT",
    "scheduler": "SCHEDULER_ADMIN_PORT",
    "webapi": "WEBAPI_PORT",
}
CLASSES = ("stored", "discarded", "rejected", "duplicate", "lost", "pending")
# For conditions, never for speed: as long as a busy machine may take.
PATIENCE = 120.0


class Reply(NamedTuple):
    """An HTTP answer; its headers' names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Pipeline:
    """Five processes around a database, a topic and a queue of their own."""

    def __init__(self, backend: Backend, tether: Tether, directory: Path, **settings: str) -> None:
        """Migrates; nothing else runs yet. Logs go to `directory`."""
        self.backend = backend
        self.environment = backend.environment(**settings)
        self.topic = self.environment["KAFKA_TOPIC"]
        # Settings of one process alone, and where a client finds a process if not at its own port.
        self.own: dict[str, dict[str, str]] = {}
        self.doors: dict[str, int] = {}
        # What the ledger is to say was received.
        self.expected = 0
        self._counting = threading.Lock()
        self._tether = tether
        self.directory = directory
        self._children: dict[str, Child] = {}
        self._shown: dict[Path, int] = {}
        settings = Settings(**{name.lower(): value for name, value in self.environment.items()})  # type: ignore[arg-type]
        schema.migrate(settings.database_url)
        topic.ensure(settings)

    def start(self, *names: str, **settings: str) -> Child:
        """Starts processes by their commands, with settings that differ; returns the last of them."""
        known = {field.upper() for field in Settings.model_fields}
        inherited = {name: value for name, value in os.environ.items() if name not in known}
        for name in names:
            own = self.own.get(name, {})
            environment = inherited | {"PYTHONPATH": str(ROOT)} | self.environment | own | settings
            argv = [sys.executable, "-m", "cli.main", name]
            log = self.directory / f"{name}.log"
            child = Child(self._tether, name, argv, environment=environment, log=log)
            child.start()
            self._children[name] = child
        return self._children[names[-1]]

    def __getitem__(self, name: str) -> Child:
        """A process, as it was started last."""
        return self._children[name]

    def kill(self) -> None:
        """Ends all that runs."""
        for child in self._children.values():
            child.kill()

    def url(self, name: str) -> str:
        """Where a process answers."""
        return f"127.0.0.1:{self.doors.get(name) or self.environment[PORTS[name]]}"

    def ask(
        self, name: str, page: str, /, body: bytes | None = None, headers: Mapping[str, str] | None = None, **query: Any
    ) -> Reply:
        """One request to a process; POST where there is a body. Raises OSError, http.client.HTTPException."""
        connection = http.client.HTTPConnection(self.url(name), timeout=10)
        with contextlib.closing(connection):
            target = f"{page}?{urlencode(query)}" if query else page
            connection.request("GET" if body is None else "POST", target, body, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def get(self, page: str, /, **query: Any) -> Reply:
        """A page of the web API; `from_` is the parameter `from`."""
        return self.ask("webapi", page, **{name.rstrip("_"): value for name, value in query.items()})

    def upload(self, lines: list[Any], key: str | None = None) -> Reply:
        """Sends lines; what is acknowledged is expected of the ledger."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        reply = self.ask("receiver", "/upload", json.dumps(lines).encode(), headers)
        if reply.status == 202:
            self.expect(reply.json["accepted"] + reply.json["rejected"])
        return reply

    def expect(self, lines: int) -> None:
        """Notes that so many lines more were acknowledged."""
        with self._counting:
            self.expected += lines

    def answers(self, name: str, page: str = "/readyz") -> bool:
        """Whether a process says that it is ready (`/readyz`), or that it is there (`/healthz`)."""
        try:
            return self.ask(name, page).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def checks(self, name: str) -> dict[str, str]:
        """What a process says of its dependencies; nothing while it does not answer."""
        try:
            return dict(self.ask(name, "/readyz").json["checks"])
        except (OSError, http.client.HTTPException):
            return {}

    def require_ready(self, *names: str, seconds: float = PATIENCE) -> None:
        """Waits until processes are ready, all of them by default."""
        for name in names or PROCESSES:
            ready = wait_until(lambda name=name: self.answers(name), seconds)  # type: ignore[misc]
            assert ready, f"{name} is not ready: {self.checks(name)}\n{self.said(name)[-3000:]}"

    def ledger(self) -> dict[str, Any]:
        """The ledger; with it, that each line is of one class."""
        ledger: dict[str, Any] = self.get("/ledger").json
        assert ledger["received"] == sum(ledger[name] for name in CLASSES), ledger
        assert ledger["balanced"], ledger
        return ledger

    def settle(self, seconds: float = PATIENCE, *, at_least: bool = False) -> dict[str, Any]:
        """The ledger once all that was acknowledged is received, planned and done.

        With `at_least` duplicates do not count: a client that was unsure has sent twice.
        """
        last: dict[str, Any] = {}

        def settled() -> bool:
            try:
                last.update(self.ledger())
            except (OSError, http.client.HTTPException, KeyError):
                return False
            received = last["received"]
            return (
                (received - last["duplicate"] >= self.expected if at_least else received == self.expected)
                and last["pending"] == 0
                and not any(part["records"] for part in last["not_planned"])
            )

        assert wait_until(settled, seconds, pause=0.1), f"expected {self.expected} lines, the ledger says {last}"
        return last

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT, past everything that is ours but the database's address."""
        database = connectable(self.environment["DATABASE_URL"])
        with database.connection_context():
            return list(database.execute_sql(sql).fetchall())

    def forget_statistics(self) -> None:
        """Empties the cache."""
        with contextlib.closing(redis.Redis.from_url(self.environment["CACHE_URL"])) as client:
            client.flushdb()

    def forget_messages(self) -> None:
        """Empties the queue's Redis, its database alone."""
        with contextlib.closing(redis.Redis.from_url(self.environment["REDIS_URL"])) as client:
            client.flushdb()

    def said(self, name: str) -> str:
        """All that a process has said until now."""
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def show_logs(self) -> None:
        """Prints what the processes have said since the last time; pytest shows it with a test that fails."""
        for path in sorted(self.directory.glob("*.log")):
            text = path.read_text(errors="replace")
            since = text[self._shown.get(path, 0) :]
            self._shown[path] = len(text)
            if since:
                sys.stdout.write(f"--- {path.name}\n{since[-4000:]}\n")


@contextlib.contextmanager
def running(backend: Backend, tether: Tether, directory: Path, **settings: str) -> Iterator[Pipeline]:
    """A pipeline of which every process is ready; killed at the end."""
    pipeline = Pipeline(backend, tether, directory, **settings)
    try:
        pipeline.start(*PROCESSES)
        pipeline.require_ready()
        yield pipeline
    finally:
        pipeline.kill()


@contextlib.contextmanager
def running_on(name: str, **settings: str) -> Iterator[Pipeline]:
    """A pipeline with servers of its own, for a program that is no test; all of it is ended with the program."""
    with (
        tempfile.TemporaryDirectory() as directory,
        servers.running(name) as backend,
        contextlib.closing(Tether()) as tether,
        running(backend, tether, Path(directory), **settings) as pipeline,
    ):
        yield pipeline
