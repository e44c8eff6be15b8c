"""A receiver as a process of its own, spoken to over sockets, and what Kafka has of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from cli.child import wait_until
from pipeline import topic
from pipeline.settings import Settings
from tests.servers import Backend

LINE = "2025-06-10T10:41:40Z 184.116.4.244 POST /products 500 971ms"
BODY = json.dumps([LINE]).encode()
Environment = dict[str, str]
# As long as a busy machine may take.
SECONDS = 30.0


def make_topic(environment: Environment) -> None:
    """Makes the environment's topic, as `tally migrate` does."""
    topic.ensure(Settings(**{name.lower(): value for name, value in environment.items()}))  # type: ignore[arg-type]


def get(environment: Environment, path: str) -> tuple[int, Any]:
    """A page of the receiver, decoded."""
    connection = http.client.HTTPConnection("127.0.0.1", int(environment["RECEIVER_PORT"]), timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def answers(environment: Environment) -> bool:
    """Whether the receiver's process answers, ready or not."""
    try:
        return get(environment, "/healthz")[0] == 200
    except OSError:
        return False


def is_ready(environment: Environment) -> bool:
    """Whether the receiver says that it is ready."""
    try:
        return get(environment, "/readyz")[0] == 200
    except OSError:
        return False


def require_ready(environment: Environment, seconds: float = 20) -> None:
    """Waits until the receiver is ready."""
    assert wait_until(lambda: is_ready(environment), seconds), "the receiver did not become ready"


def post(environment: Environment, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any, float]:
    """Uploads `body` (an iterable goes out in chunks): the status, the answer and the seconds that it took."""
    connection = http.client.HTTPConnection("127.0.0.1", int(environment["RECEIVER_PORT"]), timeout=10)
    with contextlib.closing(connection):
        began = time.monotonic()
        connection.request("POST", "/upload", body, {"Content-Type": "application/json"} | (headers or {}))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), time.monotonic() - began


def raw(environment: Environment, request: bytes, *, end: bool = False) -> bytes:
    """Sends bytes as they are (with `end` its side of the connection then ends) and returns all that comes back."""
    with socket.create_connection(("127.0.0.1", int(environment["RECEIVER_PORT"])), timeout=10) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def metric(environment: Environment, name: str) -> float:
    """One of the receiver's metrics, without labels."""
    metrics = raw(environment, b"GET /metrics HTTP/1.1\r\nHost: tally\r\nConnection: close\r\n\r\n").decode()
    (found,) = re.findall(rf"^{name} (.+)$", metrics, re.MULTILINE)
    return float(found)


def records(backend: Backend, name: str) -> Iterator[Any]:
    """Every record that a topic has now."""
    consumer = KafkaConsumer(
        bootstrap_servers=backend.kafka_bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    with contextlib.closing(consumer):
        partitions = [TopicPartition(name, part) for part in consumer.partitions_for_topic(name) or ()]
        assert partitions, f"there is no topic {name}"
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends, deadline = consumer.end_offsets(partitions), time.monotonic() + SECONDS
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            assert time.monotonic() < deadline, f"{name} was not read to its end: {ends}"
            for batch in consumer.poll(200).values():
                yield from batch
