"""The servers that tests run against: embedded ones from packages, and real ones from this machine."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pymysql

from cli import embedded, ports
from cli.child import Child, wait_until
from cli.embedded import Server
from cli.tether import Tether

ROOT = Path(__file__).resolve().parent.parent
DATABASES = 4096
DETOURS = ("receiver", "consumer", "worker")
START_SECONDS = 120.0


class Handle:
    """A running server that a test may hurt; what a test broke is mended after it."""

    def __init__(self, tether: Tether, server: Server, directory: Path) -> None:
        """Starts nothing yet."""
        self.port = server.port
        self._answers = server.answers
        self._child = Child(tether, server.name, server.argv, log=directory / f"{server.name}.log")

    @property
    def pid(self) -> int:
        """The server's pid, and its session's number."""
        return self._child.pid

    def launch(self) -> None:
        """Starts the server where it is not running, and does not wait."""
        if not self._child.alive():
            self._child.start()
        self._child.thaw()

    def start(self) -> None:
        """Starts the server where it is not running, and waits until it answers."""
        self.launch()
        if not wait_until(lambda: self._answers() or not self._child.alive(), START_SECONDS) or not self._child.alive():
            log = self._child.log.read_text(errors="replace")[-3000:] if self._child.log else ""
            raise RuntimeError(f"{self._child.name} did not start:\n{log}")

    def stop(self) -> None:
        """Stops the server in order."""
        self._child.stop(20)

    def kill(self) -> None:
        """Kills the server with SIGKILL."""
        self._child.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self._child.freeze()

    def thaw(self) -> None:
        """Lets a frozen server go on."""
        self._child.thaw()


@dataclass(frozen=True)
class Backend:
    """One set of servers: `kafka`, `redis`, `cache`, and with real ones `database`.

    `detours` are two ports for each process of DETOURS: one on which Kafka listens, and the one that it then names as
    its address, on which a proxy may listen.
    """

    name: str
    directory: Path
    servers: Mapping[str, Handle]
    make_database: Callable[[str], str]
    detours: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)
    _redis_pairs: Iterator[int] = field(default_factory=lambda: iter(range(2, DATABASES, 2)), repr=False)

    @property
    def kafka_bootstrap_servers(self) -> str:
        """Kafka's address, as the setting has it."""
        return f"127.0.0.1:{self.servers['kafka'].port}"

    @property
    def redis_url(self) -> str:
        """The queue's server, its first database: nothing that `environment` hands out."""
        return f"redis://127.0.0.1:{self.servers['redis'].port}/0"

    @property
    def cache_url(self) -> str:
        """The cache's server, its second database: nothing that `environment` hands out."""
        return f"redis://127.0.0.1:{self.servers['cache'].port}/1"

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        return self.make_database(f"tally_{next(self._numbers)}")

    def new_topic_name(self) -> str:
        """The name of a topic that does not exist yet."""
        return f"raw-logs-{next(self._numbers)}-{uuid.uuid4().hex[:8]}"

    def environment(self, **overrides: str) -> dict[str, str]:
        """All settings that a pipeline of its own needs: new database, topic, queue, cache and ports."""
        number = next(self._redis_pairs)
        receiver, webapi, consumer, worker, scheduler = map(str, ports.free(5))
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "KAFKA_TOPIC": self.new_topic_name(),
            # Tansu may hold a group up for members that were killed: no test waits for another's.
            "KAFKA_GROUP": f"tally-{uuid.uuid4().hex[:8]}",
            "DATABASE_URL": self.new_database(),
            "REDIS_URL": f"redis://127.0.0.1:{self.servers['redis'].port}/{number}",
            "CACHE_URL": f"redis://127.0.0.1:{self.servers['cache'].port}/{number + 1}",
            "RECEIVER_PORT": receiver,
            "WEBAPI_PORT": webapi,
            "CONSUMER_ADMIN_PORT": consumer,
            "WORKER_ADMIN_PORT": worker,
            "SCHEDULER_ADMIN_PORT": scheduler,
            "TARGET_API_URL": f"http://127.0.0.1:{receiver}/upload",
            "DATA_DIR": str(self.directory / f"data-{number}"),
        } | overrides

    def mend(self) -> None:
        """Starts again what a test killed, stopped or froze."""
        for server in self.servers.values():
            server.launch()
        for server in self.servers.values():
            server.start()


@contextlib.contextmanager
def running(name: str, prepare: Callable[[Path], object] = lambda _: None) -> Iterator[Backend]:
    """The servers of backend `name`, started; killed and their directory removed at the end.

    `prepare` is given the directory before anything is in it; what it mounts there is unmounted.
    """
    directory = Path(tempfile.mkdtemp(prefix="tally-"))
    prepare(directory)
    tether = Tether()
    backend = {"embedded": _embedded, "real": _real}[name](tether, directory)
    try:
        backend.mend()
        yield backend
    finally:
        for server in backend.servers.values():
            server.kill()
        tether.close()
        for mounted in filter(os.path.ismount, directory.iterdir()):
            subprocess.run(["umount", mounted], check=False)
        shutil.rmtree(directory, ignore_errors=True)


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def missing_real_servers() -> list[str]:
    """What the real backend needs and this machine does not have."""
    programs = {"mariadbd": "MariaDB (mariadbd)", "redis-server": "Redis (redis-server)", "java": "Java (java)"}
    missing = [said for program, said in programs.items() if _program(program) is None]
    if not any(_kafka_libraries().glob("kafka_2*.jar")):
        missing.append("Apache Kafka (.servers/kafka or TALLY_KAFKA_HOME)")
    return missing


def _embedded(tether: Tether, directory: Path) -> Backend:
    kafka_port, redis_port = ports.free(2)
    redis = Handle(tether, embedded.valkey(redis_port, directory, DATABASES), directory)
    handles = {"kafka": Handle(tether, embedded.kafka(kafka_port), directory), "redis": redis, "cache": redis}
    return Backend("embedded", directory, handles, lambda name: f"sqlite:///{directory / name}.db")


def _real(tether: Tether, directory: Path) -> Backend:
    kafka_port, controller_port, redis_port, cache_port, database_port, *others = ports.free(5 + 2 * len(DETOURS))
    detours = dict(zip(DETOURS, zip(others[::2], others[1::2], strict=True), strict=True))
    with ThreadPoolExecutor() as pool:  # A directory takes seconds to be prepared.
        servers = {
            "kafka": pool.submit(_kafka, kafka_port, controller_port, detours, directory / "kafka"),
            "redis": pool.submit(_redis, "redis", redis_port, directory / "redis"),
            "cache": pool.submit(_redis, "cache", cache_port, directory / "cache"),
            "database": pool.submit(_mariadb, database_port, directory / "mariadb"),
        }
    handles = {name: Handle(tether, server.result(), directory) for name, server in servers.items()}
    return Backend("real", directory, handles, partial(_new_mariadb_database, database_port), detours)


def _redis(name: str, port: int, directory: Path) -> Server:
    directory.mkdir(exist_ok=True)
    argv = (_needed("redis-server"), *embedded.redis_options(port, directory, DATABASES))
    return Server(name, argv, port, partial(ports.redis_answers, port))


def _mariadb(port: int, directory: Path) -> Server:
    """MariaDB with durable commits, as it is by default, and one account that may do anything.

    TALLY_BUFFER_POOL (`1G`) is the size of its buffer pool.
    """
    user = ("--user=root",) if os.geteuid() == 0 else ()
    # Each server that starts deletes the temporary tables in its directory, which is no other's for that reason.
    own = (f"--datadir={directory}", f"--tmpdir={directory.parent}", *user)
    _run(
        _needed("mariadb-install-db"),
        "--no-defaults",
        *own,
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
    )
    account = directory / "account.sql"
    account.write_text("GRANT ALL ON *.* TO 'tally'@'127.0.0.1' IDENTIFIED BY 'tally' WITH GRANT OPTION;\n")
    argv = (
        _needed("mariadbd"),
        "--no-defaults",
        *own,
        f"--init-file={account}",
        f"--socket={directory / 'socket'}",
        f"--pid-file={directory / 'pid'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        *((f"--innodb-buffer-pool-size={pool}",) if (pool := os.environ.get("TALLY_BUFFER_POOL")) else ()),
    )
    return Server("database", argv, port, partial(ports.mysql_answers, port))


def _new_mariadb_database(port: int, name: str) -> str:
    with (
        contextlib.closing(pymysql.connect(host="127.0.0.1", port=port, user="tally", password="tally")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    return f"mysql://tally:tally@127.0.0.1:{port}/{name}"


def _kafka(port: int, controller_port: int, detours: Mapping[str, tuple[int, int]], directory: Path) -> Server:
    """Apache Kafka, one node that is broker and controller; its directory is formatted here."""
    directory.mkdir(exist_ok=True)
    listening = "".join(f",{name.upper()}://127.0.0.1:{own}" for name, (own, _) in detours.items())
    advertised = "".join(f",{name.upper()}://127.0.0.1:{said}" for name, (_, said) in detours.items())
    protocols = "".join(f",{name.upper()}:PLAINTEXT" for name in detours)
    properties = directory / "server.properties"
    properties.write_text(
        f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{listening}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
log.dirs={directory / "log"}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""
    )
    java = (_needed("java"), "-cp", f"{_kafka_libraries()}/*")
    cluster = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    _run(*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties))
    argv = (java[0], "-Xmx512m", *java[1:], "kafka.Kafka", str(properties))
    return Server("kafka", argv, port, partial(ports.kafka_answers, port))


def _kafka_libraries() -> Path:
    return Path(os.environ.get("TALLY_KAFKA_HOME") or ROOT / ".servers" / "kafka") / "libs"


def _program(name: str) -> str | None:
    """The path of a program; servers are often outside of a user's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/libexec")


def _needed(name: str) -> str:
    return _program(name) or name


def _run(*argv: str) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv[0]}:\n{done.stdout.decode(errors='replace')[-3000:]}")
