"""What is done to a scene under load. Each fault is over when its function returns."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dramatiq
import msgspec
import redis

from cli import ports
from cli.child import wait_until
from pipeline import messages
from pipeline.batch import Range
from pipeline.settings import Settings
from tests.faults.proxy import Matches
from tests.faults.scene import Scene, backup
from tests.integration.pipeline import PATIENCE, PROCESSES
from tests.servers import ROOT
from tests.topics import Topic

Fault = Callable[[Scene], None]
Pair = tuple[str, str]

LASTS = 10.0
SLOW = 5.0
OFTEN = 0.5
DOWN = 2.0
# So many at the least are pending where messages come more than once.
BATCHES = 3
# A member that is silent for longer has left Kafka's group.
SESSION = 8.0


def _kafka(key: int) -> Matches:
    # A request begins with its length, then what it asks for.
    return lambda chunk: chunk[4:6] == key.to_bytes(2, "big")


def _has(text: bytes) -> Matches:
    return lambda chunk: text in chunk


# Requests as they go over the wire; MySQL's with its command byte.
UPLOAD, COMMIT, ENQUEUE, ACK = _has(b"POST /upload"), _has(b"\x03COMMIT"), _has(b"enqueue"), _has(b"ack")
PRODUCE, COMMIT_OFFSETS = _kafka(0), _kafka(8)


def killed(name: str, down: float = DOWN) -> Fault:
    """SIGKILL; a server is away for so many seconds, a process is started again at once."""

    def fault(scene: Scene) -> None:
        scene.victim(name).kill()
        time.sleep(down)
        scene.pipeline.backend.mend()

    return fault


def frozen(name: str, seconds: float) -> Fault:
    """SIGSTOP, then SIGCONT."""

    def fault(scene: Scene) -> None:
        scene.victim(name).freeze()
        time.sleep(seconds)
        scene.victim(name).thaw()

    return fault


def unheard(*lost: tuple[str, str, Matches]) -> Fault:
    """The reply to a request is lost after the server has done it, twice of each kind."""

    def fault(scene: Scene) -> None:
        for process, server, matches in lost * 2:
            proxy = scene.proxies[process, server]
            wanted = proxy.swallowed + 1
            proxy.swallow(matches)
            assert wait_until(lambda proxy=proxy, wanted=wanted: proxy.swallowed == wanted, PATIENCE)  # type: ignore[misc]
            scene.more()

    return fault


def swallowed(*pairs: Pair) -> Fault:
    """A network that passes nothing on for ten seconds and then has lost its connections; then a slow one."""

    def fault(scene: Scene) -> None:
        proxies = [scene.proxies[pair] for pair in pairs]
        for proxy in proxies:
            proxy.freeze()
        time.sleep(LASTS)
        for proxy in proxies:
            proxy.thaw()
            proxy.cut()
            proxy.delay = 0.1
        time.sleep(SLOW)
        for proxy in proxies:
            proxy.delay = 0.0

    return fault


def full(name: str) -> Fault:
    """A disk on which nothing more fits for ten seconds; a server that gives up is started when there is room again."""

    def fault(scene: Scene) -> None:
        ballast = scene.disk(name) / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 20, 1 << 10, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
        time.sleep(LASTS)
        ballast.unlink()
        scene.pipeline.backend.mend()

    return fault


def elsewhen(name: str) -> Fault:
    """A process whose clock is 90 s ahead, then 90 s behind, and then right."""

    def fault(scene: Scene) -> None:
        library = str(faketime())
        for offset in ("+90", "-90"):
            path = f"{Path(__file__).with_name('clock')}:{ROOT}"
            clock = {"LD_PRELOAD": library, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            scene.restart(name, PYTHONPATH=path, **clock)
            scene.more()
            time.sleep(LASTS / 2)
        scene.restart(name, LD_PRELOAD="", PYTHONPATH=str(ROOT))

    return fault


def faketime() -> Path | None:
    """The library that tells a process another time, where this machine has it."""
    return next(Path("/usr/lib").glob("*-linux-gnu/faketime/libfaketime.so.1"), None)


def again(once: Fault) -> Fault:
    """The same every half second, for ten seconds."""

    def fault(scene: Scene) -> None:
        end = time.monotonic() + LASTS
        while time.monotonic() < end:
            once(scene)
            time.sleep(OFTEN)

    return fault


def cut(*pairs: Pair) -> Fault:
    """The connections of these pairs end."""

    def fault(scene: Scene) -> None:
        for pair in pairs:
            scene.proxies[pair].cut()

    return fault


def forgotten(scene: Scene) -> None:
    """FLUSHALL, and CLIENT KILL of whoever is connected."""
    for url in (scene.pipeline.environment["REDIS_URL"], scene.pipeline.environment["CACHE_URL"]):
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            client.flushall()
            client.client_kill_filter(_type="normal", skipme=True)


def disconnected(scene: Scene) -> None:
    """KILL of every connection that we have to MySQL."""
    for (number,) in scene.pipeline.query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'tally' AND ID <> CONNECTION_ID()"
    ):
        with contextlib.suppress(Exception):  # It may have ended by itself.
            scene.pipeline.query(f"KILL {number}")


def disconnected_and_restarted(scene: Scene) -> None:
    """MySQL's connections killed for ten seconds, then the server stopped in order and started."""
    again(disconnected)(scene)
    scene.server("database").stop()
    time.sleep(DOWN)
    scene.pipeline.backend.mend()


def thrice(scene: Scene) -> None:
    """Messages of three pending batches or more, each on the queue three times more; the worker receives them all."""
    scene.pile_up()
    broker = messages.build_broker(scene.pipeline.environment["REDIS_URL"])

    def unfinished() -> list[dramatiq.Message[Any]]:
        return list(map(dramatiq.Message.decode, broker.client.hvals(f"dramatiq:{messages.INGEST}.msgs")))

    def ordered() -> set[Range]:
        pending = set(scene.pipeline.query("SELECT part, generation, first, next FROM batch WHERE state = 'pending'"))
        orders = {msgspec.convert(message.kwargs["batch"], Range) for message in unfinished()}
        return {one for one in orders if (one.part, one.generation, one.first, one.next) in pending}

    with contextlib.closing(broker):
        assert wait_until(lambda: len(ordered()) >= BATCHES, PATIENCE)
        copies = [messages.ingest(one) for one in ordered() for _ in range(3)]
        for message in copies:
            messages.enqueue(broker, message)
        scene.pipeline["worker"].thaw()
        ids = {message.message_id for message in copies}
        assert wait_until(lambda: ids.isdisjoint(message.message_id for message in unfinished()), PATIENCE)


def replaced(scene: Scene) -> None:
    """A consumer frozen for longer than its session lasts; another one takes its place; then it wakes up, and they
    share the partitions until it dies.
    """
    zombie, port = scene.pipeline["consumer"], ports.free(1)[0]
    with contextlib.closing(_topic(scene)) as topic:
        assert wait_until(lambda: len(topic.members()) == 1, PATIENCE)
        before = topic.members()
        zombie.freeze()
        scene.pipeline.own["consumer"]["CONSUMER_ADMIN_PORT"] = str(port)
        scene.pipeline.doors["consumer"] = port
        scene.pipeline.start("consumer")
        assert wait_until(lambda: bool(topic.members() - before), PATIENCE)
        scene.more()
        zombie.thaw()
        assert wait_until(lambda: len(topic.members()) == 2, PATIENCE)
        scene.more()
        zombie.kill()


def reset(scene: Scene) -> None:
    """The group's offsets set to the beginning, then to the end, while its consumer is away."""
    topic = _topic(scene)
    with contextlib.closing(topic):
        for ends in (False, True):
            scene.pipeline["consumer"].freeze()
            time.sleep(SESSION)
            topic.commit(topic.ends() if ends else dict.fromkeys(range(topic.settings.kafka_partitions), 0))
            scene.pipeline["consumer"].thaw()
            scene.more()


@contextlib.contextmanager
def _pending(scene: Scene) -> Iterator[Topic]:
    """The topic, all of it planned, with batches that are pending, and nobody who uploads."""
    scene.pile_up()
    with contextlib.closing(_topic(scene)) as topic, scene.resting():
        scene.await_plan()
        yield topic
    scene.pipeline["worker"].thaw()


def recreated(scene: Scene) -> None:
    """The topic deleted and made again under live processes, with batches pending: what they name is gone."""
    with _pending(scene) as topic:
        topic.make_again()


def made_again(scene: Scene) -> None:
    """The topic deleted while nothing is pending, and made again while uploads come: none of theirs may be lost."""
    with contextlib.closing(_topic(scene)) as topic:
        with scene.resting():
            scene.await_rows()
            topic.delete()
            time.sleep(DOWN)
        time.sleep(DOWN)
        topic.create()


def retained(scene: Scene) -> None:
    """Retention passes all that is pending."""
    with _pending(scene) as topic:
        for part, end in topic.ends().items():
            topic.delete_records(part, end)


def regrown(scene: Scene) -> None:
    """Kafka's disk as it was some time ago: the log is cut, and grows again."""
    kafka = scene.server("kafka")
    with TemporaryDirectory() as kept:
        kafka.stop()
        with backup(scene.disk("kafka"), Path(kept) / "kafka"):
            kafka.start()
            scene.more()
            with scene.resting():
                # What only Kafka has is lost with it, on one broker: all is to be in MySQL.
                scene.await_rows()
                kafka.stop()
        kafka.start()


def restored(before: Fault, after: Fault) -> Fault:
    """MySQL's disk as it was some time ago; `before` that and `after` it something is done to our processes."""

    def fault(scene: Scene) -> None:
        database = scene.server("database")
        with TemporaryDirectory() as kept:
            database.stop()
            with backup(scene.disk("database"), Path(kept) / "mariadb"):
                database.start()
                scene.more()
                time.sleep(DOWN)
                before(scene)
                database.stop()
            database.start()
            after(scene)

    return fault


def frozen_worker(scene: Scene) -> None:
    """Messages begin to wait."""
    scene.pile_up()


def thawed_worker(scene: Scene) -> None:
    """The messages are worked on."""
    scene.pipeline["worker"].thaw()


def everything_killed(scene: Scene) -> None:
    """Nothing of ours is alive for a moment."""
    for name in PROCESSES:
        scene.pipeline[name].kill()


def nothing(scene: Scene) -> None:
    """Our processes go on."""


def _topic(scene: Scene) -> Topic:
    known = {field.upper() for field in Settings.model_fields}
    environment = {name: value for name, value in scene.pipeline.environment.items() if name in known}
    return Topic(environment, scene.pipeline.backend.directory / "kafka" / "log")
