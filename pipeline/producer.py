"""A Kafka producer as we need it: acknowledged by all replicas, or failed soon."""

from __future__ import annotations

import contextlib
import time

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.partitioner import Partitioner

from pipeline.brokers import connecting, require_answer
from pipeline.errors import Unavailable
from pipeline.settings import Settings
from pipeline.topic import PRODUCER_HEADROOM

# A client learns within two seconds that Kafka is away; kafka-python alone would try for two minutes.
DELIVERY_SECONDS = 1.5
CONNECT_SECONDS = 2.0
# A broker that restarts is waited for; one that comes back is noticed soon.
PATIENCE_SECONDS = 3.0
BATCH_BYTES = 256 * 1024


def build(settings: Settings, partitioner: Partitioner | None = None) -> KafkaProducer:
    """A producer that knows the topic's partitions, so that its `send` does not wait for anything.

    `acks` stays at its default (all, idempotent). Raises Unavailable after some seconds at the most.
    """
    _await_answer(settings.kafka_bootstrap_servers)
    max_request_size = settings.max_body_bytes + PRODUCER_HEADROOM
    try:
        with connecting() as connect:
            producer = KafkaProducer(
                bootstrap_servers=settings.kafka_bootstrap_servers.split(","),
                bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
                delivery_timeout_ms=int(DELIVERY_SECONDS * 1000),
                request_timeout_ms=int(DELIVERY_SECONDS * 1000) - 100,
                reconnect_backoff_max_ms=500,
                # The longest that `send` may block the event loop, should the topic vanish.
                max_block_ms=250,
                # The receiver has put together what came together, and whoever else sends waits for each.
                linger_ms=0,
                batch_size=min(BATCH_BYTES, max_request_size),
                compression_type="lz4",
                max_request_size=max_request_size,
                metrics_enabled=False,
                kafka_client=connect,
                **({} if partitioner is None else {"partitioner": partitioner}),
            )
    except KafkaError as error:
        raise Unavailable("kafka", _said(error)) from error
    try:
        _learn_partitions(producer, settings.kafka_topic)
    except Unavailable:
        abandon(producer)
        raise
    return producer


def is_astray(producer: KafkaProducer) -> bool:
    """Whether it wrote to a partition that is gone, or has no leader: of a topic made again with fewer, say.

    kafka-python 3.0.12 then wakes itself up again and again, without a pause, to have new metadata asked for, even with
    nothing left to send.
    """
    written = list(producer._accumulator._batches)
    return any(producer._metadata.leader_for_partition(partition) in (None, -1) for partition in written)


def abandon(producer: KafkaProducer) -> None:
    """Closes a producer without waiting for anything; what it still held fails."""
    try:
        producer.close(timeout=0)
    except KafkaError:
        # Its flush gave up before anything was closed: the sender is told itself, then there is nothing to flush.
        producer._sender.force_close()
        producer._sender.wakeup()
        producer._sender.join(2)
        with contextlib.suppress(KafkaError):
            producer.close(timeout=0)


def _await_answer(bootstrap_servers: str) -> None:
    """Comes before a producer is built, for which an attempt that nobody answers costs far more than this."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return require_answer(bootstrap_servers)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.25)


def _learn_partitions(producer: KafkaProducer, topic: str) -> None:
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            producer.partitions_for(topic)
        except KafkaError as error:
            if time.monotonic() > deadline:
                raise Unavailable("kafka", f"it does not say where topic {topic} is: {_said(error)}") from error
            time.sleep(0.05)
        else:
            return


def _said(error: BaseException | None) -> str:
    return str(error) or type(error).__name__
