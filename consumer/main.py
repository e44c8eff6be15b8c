"""The consumer: plans ranges of the topic as batches and hands them to the workers."""

from __future__ import annotations

from kafka import KafkaConsumer

from consumer.loop import Assignment, PollLoop
from consumer.loss import Loss
from consumer.metrics import Metrics
from consumer.pulse import Pulse
from consumer.repair import Repair
from pipeline import admin, checkpoint, exposure, logging, messages, process, settings, status
from pipeline.cache import Cache
from pipeline.kafka import RangeReader, consuming
from pipeline.process import Loop
from pipeline.settings import Settings
from pipeline.storage import Store
from pipeline.topic import TopicAdmin

# A member that vanished keeps its partitions for as long.
SESSION_MS, HEARTBEAT_MS = 6_000, 2_000


def main() -> int:
    """Runs the consumer until it is told to stop; returns its exit code."""
    given = settings.load()
    logging.configure("consumer", given.log_level)
    process.give_back()
    exposure.require_intended(given, given.admin_host)
    crash = checkpoint.from_environment()
    metrics, pulse = Metrics(), Pulse()

    store = Store.open(given.database_url)
    store.check()
    broker = messages.build_broker(given.redis_url)
    cache = Cache.open(given.cache_url)
    assignment = Assignment()
    planner_topic, keeper_topic = TopicAdmin(given), TopicAdmin(given)
    planner_reader, keeper_reader = RangeReader(given), RangeReader(given)
    consumer = _consumer(given, assignment)

    poll = PollLoop(
        given, store, broker, consumer, assignment, planner_topic, planner_reader, metrics, pulse, checkpoint=crash
    )
    repair = Repair(store, broker, keeper_topic.cluster_id, given.kafka_topic, metrics.resent, checkpoint=crash)
    loss = Loss(
        store,
        keeper_topic.identity,
        keeper_reader.beginnings,
        keeper_topic.cluster_id,
        given.kafka_topic,
        metrics,
    )
    pages = admin.serve(
        given.admin_host,
        given.consumer_admin_port,
        "CONSUMER_ADMIN_PORT",
        {
            "kafka": keeper_topic.check,
            "database": store.check,
            "redis": lambda: messages.check(broker),
            "poll": pulse.check,
        },
        metrics.registry,
    )

    def close() -> None:
        pages.close()
        consumer.close(autocommit=False, timeout_ms=2_000)
        for client in (planner_reader, keeper_reader, planner_topic, keeper_topic, broker, cache):
            client.close()

    return process.run(
        "consumer",
        [
            Loop("poll", poll.step, pause=1.0),
            Loop("pulse", pulse.step, pause=1.0),
            Loop("repair", repair.step, pause=1.0),
            Loop("loss", loss.step, pause=5.0),
            status.loop(cache, "consumer", metrics.registry),
        ],
        close,
    )


def _consumer(given: Settings, assignment: Assignment) -> KafkaConsumer:
    consumer = consuming(
        given,
        group_id=given.kafka_group,
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=HEARTBEAT_MS,
        # A partition of which something was just fetched is not in the next fetch, and not looked at while that waits;
        # uploads go to one partition for a while, so that the others have nothing to end the wait.
        fetch_max_wait_ms=100,
    )
    consumer.subscribe([given.kafka_topic], listener=assignment)
    return consumer
