"""The commands as a person or a supervisor meets them: what they say, and their exit codes."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import closing
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from cli import ports
from cli.child import Child, wait_until
from cli.lock import locked
from cli.tether import Tether
from pipeline.errors import ConfigurationError, TallyError
from tests.conftest import Launch
from tests.servers import Backend

COMMANDS = ("up", "migrate", "receiver", "consumer", "worker", "scheduler", "webapi", "generator")


def said(child: Child) -> str:
    """All that a command has said until now."""
    assert child.log
    return child.log.read_text()


def test_a_wrong_setting_ends_every_command_with_78_and_is_named_without_its_value(launch: Launch) -> None:
    children = {command: launch(command, {"MAX_LINES": "secret"}) for command in COMMANDS}
    for command, child in children.items():
        assert child.wait(60) == 78, command
        assert "MAX_LINES" in said(child), command
        assert "secret" not in said(child), command
        assert "Traceback" not in said(child), command


@pytest.mark.parametrize(
    ("command", "setting", "value"),
    [
        ("worker", "DISCARD_STATUS", "9xx"),
        ("worker", "ROUTES", "/x/{"),
        ("worker", "DATABASE_URL", "http://127.0.0.1/x"),
        ("worker", "REDIS_URL", "http://127.0.0.1"),
        ("worker", "CACHE_URL", "http://127.0.0.1"),
        ("receiver", "DATABASE_URL", "http://127.0.0.1/x"),
        ("receiver", "CACHE_URL", "http://127.0.0.1"),
        ("webapi", "DATABASE_URL", "http://127.0.0.1/x"),
        ("webapi", "CACHE_URL", "http://127.0.0.1"),
        ("webapi", "TARGET_API_URL", "nowhere"),
    ],
)
def test_what_a_process_of_a_server_cannot_be_built_of_ends_it_with_78_and_one_line(
    launch: Launch, tmp_path: Path, command: str, setting: str, value: str
) -> None:
    fine = {"DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}", "REQUIRE_API_KEYS": "1", "DEMO_TRAFFIC": "1"}
    child = launch(command, five_ports() | fine | {setting: value})
    assert child.wait(60) == 78
    [line] = said(child).splitlines()
    assert line.startswith(f"tally {command}: {setting}: ")


def test_a_worker_that_strangers_could_reach_ends_with_78(launch: Launch) -> None:
    child = launch("worker", five_ports() | {"ADMIN_HOST": "0.0.0.0"})
    assert child.wait(60) == 78
    assert said(child).startswith("tally worker: REQUIRE_API_KEYS: ")


@pytest.mark.parametrize("setting", ["RECEIVER_HOST", "WEBAPI_HOST", "ADMIN_HOST"])
def test_up_starts_nothing_where_strangers_could_reach_a_process_of_it(
    launch: Launch, tmp_path: Path, setting: str
) -> None:
    child = launch("up", five_ports() | {"DATA_DIR": str(tmp_path / "data"), setting: "0.0.0.0"})
    assert child.wait(60) == 78
    [line] = said(child).splitlines()
    assert line.startswith("tally up: REQUIRE_API_KEYS: ")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("setting", "value"), [("DISCARD_STATUS", "9xx"), ("ROUTES", "/x/{")])
def test_up_ends_with_what_ends_a_process_of_it_for_good(
    launch: Launch, tmp_path: Path, setting: str, value: str
) -> None:
    child = launch("up", five_ports() | {"DATA_DIR": str(tmp_path / "data"), setting: value})
    assert child.wait(60) == 78
    last = said(child).splitlines()[-1]
    assert last.startswith("tally up: ")
    assert setting in last
    assert "Traceback" not in said(child)


def test_a_wrong_argument_ends_with_2(launch: Launch) -> None:
    child = launch("worker", {}, "--threads", "none")
    assert child.wait(20) == 2
    assert "--threads" in said(child)


@pytest.mark.parametrize(("command", "setting"), [("up", "SCHEDULER_ADMIN_PORT"), ("worker", "WORKER_ADMIN_PORT")])
def test_a_port_in_use_is_said_before_anything_starts(
    launch: Launch, tmp_path: Path, command: str, setting: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        child = launch(command, {**five_ports(), setting: port, "DATA_DIR": str(tmp_path / "data")})
        assert child.wait(20) == 78
    assert f"port {port} is in use" in said(child)
    assert setting in said(child)
    assert not (tmp_path / "data" / "redis").exists()


def test_one_port_for_two_processes_is_refused(launch: Launch, tmp_path: Path) -> None:
    environment = five_ports() | {"DATA_DIR": str(tmp_path)}
    child = launch("up", environment | {"WEBAPI_PORT": environment["RECEIVER_PORT"]})
    assert child.wait(20) == 78
    assert "RECEIVER_PORT and WEBAPI_PORT" in said(child)


def test_migrations_at_once_all_succeed_and_leave_one_topic(backend: Backend, launch: Launch) -> None:
    environment = backend.environment(KAFKA_PARTITIONS="3")
    children = [launch("migrate", environment) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    words = [said(child) for child in children]
    assert sum("applied 0001" in word for word in words) == 1
    assert sum("made the topic" in word for word in words) == 1
    with closing(KafkaAdminClient(bootstrap_servers=backend.kafka_bootstrap_servers)) as admin:
        [topic] = admin.describe_topics([environment["KAFKA_TOPIC"]])
    assert len(topic["partitions"]) == 3


@pytest.mark.any_servers
@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("DATABASE_URL", "mysql://tally@127.0.0.1:{}/tally", "database"),
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:{}", "kafka"),
    ],
)
def test_a_server_that_is_away_ends_a_migration_with_69(
    backend: Backend, launch: Launch, setting: str, value: str, name: str
) -> None:
    child = launch("migrate", backend.environment(**{setting: value.format(ports.free(1)[0])}))
    assert child.wait(60) == 69
    assert f"tally migrate: {name} is not available" in said(child)


def test_a_second_holder_of_a_directory_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(TallyError, match=f"process {os.getpid()}.*DATA_DIR"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_directory_that_cannot_be_made_names_its_setting() -> None:
    with pytest.raises(ConfigurationError, match="DATA_DIR"), locked(Path("/proc/none")):
        pass


def test_a_directory_stays_locked_until_what_its_killed_holder_started_has_gone(tmp_path: Path) -> None:
    with locked(tmp_path) as lock:
        watcher = Tether(lock)
    (tmp_path / "lock").write_text("0")
    assert not lock_is_free(tmp_path)
    watcher.close()
    assert wait_until(lambda: lock_is_free(tmp_path), 5)


def lock_is_free(directory: Path) -> bool:
    """Whether nobody holds the lock, without waiting for it."""
    with (directory / "lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def five_ports() -> dict[str, str]:
    """A free port for each process that listens."""
    settings = ("RECEIVER_PORT", "WEBAPI_PORT", "CONSUMER_ADMIN_PORT", "WORKER_ADMIN_PORT", "SCHEDULER_ADMIN_PORT")
    return dict(zip(settings, map(str, ports.free(5)), strict=True))
