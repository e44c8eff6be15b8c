"""The messages of the two Dramatiq queues, so that who sends one need not import who acts on it."""

from __future__ import annotations

from typing import Any

import dramatiq
import msgspec
import redis
from dramatiq.brokers.redis import RedisBroker

from pipeline import server_url
from pipeline.batch import Range
from pipeline.errors import Unavailable

INGEST, STATS = "ingest", "stats"

# How long (ms) a worker sleeps at the most between two looks at a queue that is empty, also while it has enough to do.
# A lone upload is visible promptly; a statistic can wait; the queues of delayed messages, which we have none of, too.
# Looked at every 20 ms, the four of them cost an idle worker 11 % of a core, and a busy one as much.
_LOOKS = {INGEST: 20, STATS: 200}
_SELDOM = 1_000


class Broker(RedisBroker):
    """Dramatiq's, but for how often each queue is looked at, and that it has an end."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 0) -> dramatiq.Consumer:  # noqa: ARG002
        """As Dramatiq has it; `timeout` is one for all queues, and not heeded."""
        return super().consume(queue_name, prefetch, _LOOKS.get(queue_name, _SELDOM))

    def close(self) -> None:
        """Closes the connections, which Dramatiq leaves to the collector."""
        super().close()
        self.client.connection_pool.disconnect()


def build_broker(redis_url: str) -> RedisBroker:
    """A broker on `redis_url` without middleware: no retries, time limits or delays stand between us and MySQL.

    `url=` and not `host=`: with the latter the client retries, and a lost reply queues a message twice. Raises
    ConfigurationError.
    """
    server_url.split("REDIS_URL", redis_url)
    separator = "&" if "?" in redis_url else "?"
    url = f"{redis_url}{separator}socket_timeout=5&socket_connect_timeout=2"
    # A dead worker's messages come back by our own repair; Dramatiq's maintenance only tidies up after it.
    try:
        broker = Broker(  # type: ignore[no-untyped-call]  # Dramatiq leaves this constructor untyped
            url=url, middleware=[], maintenance_chance=10_000, dead_message_ttl=3_600_000
        )
    except ValueError:
        raise server_url.unreadable("REDIS_URL") from None
    broker.declare_queue(INGEST)
    broker.declare_queue(STATS)
    return broker


def ingest(batch: Range, again: bool = False) -> dramatiq.Message[Any]:
    """The order to execute a batch; `again` says that it was ordered before."""
    return _message(INGEST, "ingest", batch=msgspec.to_builtins(batch), again=again)


def warm(kind: str, range_name: str, scope: str) -> dramatiq.Message[Any]:
    """The order to compute one of the statistics and put it into the cache."""
    return _message(STATS, "warm", kind=kind, range_name=range_name, scope=scope)


def housekeeping(job: str) -> dramatiq.Message[Any]:
    """The order to run one of the jobs of `tasks.housekeeping`."""
    return _message(STATS, "housekeeping", job=job)


def enqueue(broker: RedisBroker, message: dramatiq.Message[Any]) -> None:
    """Puts a message on its queue. Raises Unavailable when Redis does not take it."""
    try:
        broker.enqueue(message)
    except redis.RedisError as error:
        raise Unavailable("redis", error) from error


def waiting(broker: RedisBroker, queue: str) -> int:
    """How many messages wait on a queue for a worker to fetch them. Raises Unavailable."""
    return backlog(broker, queue)[0]


def backlog(broker: RedisBroker, queue: str) -> tuple[int, int]:
    """How many messages wait on a queue, and how many are not done, those that workers hold too. Raises Unavailable."""
    name = f"{broker.namespace}:{queue}"
    try:
        with broker.client.pipeline(transaction=False) as both:
            both.llen(name)
            both.hlen(f"{name}.msgs")
            waiting, unfinished = both.execute()
    except redis.RedisError as error:
        raise Unavailable("redis", error) from error
    return int(waiting), int(unfinished)


def check(broker: RedisBroker) -> None:
    """Raises Unavailable unless Redis answers now."""
    waiting(broker, INGEST)


def probe(broker: RedisBroker) -> None:
    """Raises Unavailable unless Redis takes a write now: one whose memory or disk is full answers all the same."""
    try:
        broker.client.set(f"{broker.namespace}:probe", b"", px=1_000)
    except redis.RedisError as error:
        raise Unavailable("redis", error) from error


def _message(queue: str, actor: str, **arguments: Any) -> dramatiq.Message[Any]:
    return dramatiq.Message(queue_name=queue, actor_name=actor, args=(), kwargs=arguments, options={})
