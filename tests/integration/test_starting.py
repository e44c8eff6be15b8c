"""What a process says, and does, when what it needs is not there at its start."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from cli import ports
from cli.child import wait_until
from cli.tether import Tether
from tests.integration.pipeline import PATIENCE, PORTS, Pipeline
from tests.servers import Backend

# The setting that leads to a server, and the server's name in what is said.
SERVERS = {"kafka": "KAFKA_BOOTSTRAP_SERVERS", "redis": "REDIS_URL", "cache": "CACHE_URL", "database": "DATABASE_URL"}
# Each round's processes, and which server is away for each.
ROUNDS = (
    {"receiver": "kafka", "consumer": "kafka", "worker": "redis", "scheduler": "redis", "webapi": "cache"},
    {"consumer": "database", "worker": "database", "webapi": "database"},
)
UNAVAILABLE, MISCONFIGURED = 69, 78


class Door:
    """A port that leads to a server once it is opened."""

    def __init__(self, target: int) -> None:
        self.port = ports.free(1)[0]
        self._target = target
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Begins to listen."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._welcome, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Stops listening; what was let in stays."""
        if self._listener:
            self._listener.close()

    def _welcome(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                inside, _ = listener.accept()
                outside = socket.create_connection(("127.0.0.1", self._target))
                for pair in ((inside, outside), (outside, inside)):
                    threading.Thread(target=_carry, args=pair, daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError), source, sink:
        while data := source.recv(65536):
            sink.sendall(data)


@pytest.fixture
def doors(backend: Backend) -> Iterator[dict[str, Door]]:
    """A closed door to each server that listens."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(closing(Door(server.port))) for name, server in backend.servers.items()}


@pytest.fixture
def still(backend: Backend, tether: Tether, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline of its own that is migrated, and not started."""
    pipeline = Pipeline(backend, tether, tmp_path)
    yield pipeline
    pipeline.kill()
    pipeline.show_logs()


def through(environment: Mapping[str, str], setting: str, port: int) -> str:
    """A setting's value with another port."""
    if setting == "KAFKA_BOOTSTRAP_SERVERS":
        return f"127.0.0.1:{port}"
    url = urlsplit(environment[setting])
    return urlunsplit(url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{port}"))


@pytest.mark.real_only
@pytest.mark.parametrize("needs", ROUNDS, ids=lambda needs: "+".join(f"{one}:{other}" for one, other in needs.items()))
def test_a_server_that_is_away_at_the_start_is_named_and_waited_for_or_is_exit_69(
    still: Pipeline, doors: dict[str, Door], needs: dict[str, str]
) -> None:
    # Given processes that are started while a server is away,
    elsewhere = {
        name: {SERVERS[server]: through(still.environment, SERVERS[server], doors[server].port)}
        for name, server in needs.items()
    }
    for name in needs:
        still.start(name, **elsewhere[name])
    # each of them ends with 69 after a line that names it, or waits and names it on its page;
    for name, server in needs.items():
        assert wait_until(partial(said_so, still, name, server), PATIENCE), still.said(name)
    # and when it is there, who waited is ready, and who has ended is after its next start.
    for server in set(needs.values()):
        doors[server].open()
    for name in needs:
        if not still[name].alive():
            still.start(name, **elsewhere[name])
    for name in needs:
        still.require_ready(name)
        assert wait_until(lambda name=name: set(still.checks(name).values()) == {"ok"}, PATIENCE), name  # type: ignore[misc]


def said_so(pipeline: Pipeline, name: str, server: str) -> bool:
    """Whether a process has said which server is away, by its last line and exit code or by its page."""
    if pipeline[name].alive():
        return f"{server} is not available" in pipeline.checks(name).get(server, "")
    assert pipeline[name].poll() == UNAVAILABLE
    last = pipeline.said(name).rstrip().rpartition("\n")[2]
    assert last.startswith(f"tally {name}: {server} is not available"), last
    return True


# (of the others, tests/cli, tests/receiver and tests/webapi)
@pytest.mark.any_servers
@pytest.mark.parametrize("name", ["consumer", "scheduler"])
def test_a_port_in_use_is_exit_78_and_names_the_setting(still: Pipeline, name: str) -> None:
    with socket.create_server(("127.0.0.1", int(still.environment[PORTS[name]]))):
        code = still.start(name).wait(PATIENCE)
        last = still.said(name).rstrip().rpartition("\n")[2]
        assert code == MISCONFIGURED, last
        assert PORTS[name] in last
        assert f"port {still.environment[PORTS[name]]} is in use" in last
