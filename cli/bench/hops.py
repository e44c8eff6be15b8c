"""How many bytes went through each hop, as the servers count them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import redis
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from pipeline.settings import Settings
from pipeline.storage import Store

# What MySQL calls them, and what they are here.
_COUNTERS = {"Bytes_received": "to database", "Bytes_sent": "from database", "Innodb_os_log_written": "redo log"}


class Hops:
    """Counters of bytes that only grow."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._topic = settings.kafka_topic
        self._store = store
        self._redis = redis.Redis.from_url(settings.redis_url)
        self._kafka = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers.split(","))

    def bytes(self) -> dict[str, int]:
        """All that can be told, so far: the topic's log as it is on disk, Redis' and the database's traffic."""
        found: dict[str, int] = {}
        # Not every broker tells how large its logs are.
        with suppress(KafkaError):
            found["topic's log"] = self._log()
        traffic: Any = self._redis.info("stats")
        found["to redis"], found["from redis"] = traffic["total_net_input_bytes"], traffic["total_net_output_bytes"]
        if self._store.is_mysql:
            rows = self._store.read(lambda: self._store.execute("SHOW GLOBAL STATUS").fetchall())
            found |= {_COUNTERS[name]: int(value) for name, value in rows if name in _COUNTERS}
        return found

    def close(self) -> None:
        """Ends the connections."""
        self._redis.close()
        self._kafka.close()

    def _log(self) -> int:
        brokers = self._kafka.describe_log_dirs([self._topic])
        directories = [directory for broker in brokers for directory in broker["log_dirs"]]
        topics = [topic for directory in directories for topic in directory["topics"] if topic["name"] == self._topic]
        return sum(part["partition_size"] for topic in topics for part in topic["partitions"])
