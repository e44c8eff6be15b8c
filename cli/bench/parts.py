"""The parts themselves: what the wall has each do alone, and the bare processes all at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import polars as pl
from kafka import KafkaConsumer, TopicPartition

from cli.bench.load import ROUTES
from pipeline import batch
from pipeline.grammar import FAST_LINE
from pipeline.kafka import consuming
from pipeline.settings import Settings
from tasks.frame import SCHEMA

_decode = msgspec.json.Decoder(list[str]).decode


def headers() -> batch.Headers:
    """As many as an upload's record has."""
    return batch.headers(1, datetime.now(UTC), b"0" * 32, b"0" * 32)


def from_now(settings: Settings, parts: Sequence[int], wait_ms: int) -> KafkaConsumer:
    """A consumer of what comes to these partitions from now on; Kafka waits so long with an answer that has nothing.

    Raises Unavailable where it cannot be built.
    """
    client = consuming(settings, group_id=None, fetch_max_wait_ms=wait_ms)
    client.assign([TopicPartition(settings.kafka_topic, part) for part in parts])
    client.seek_to_end()
    for partition in client.assignment():
        client.position(partition)
    return client


def frame(uploads: Sequence[bytes]) -> pl.DataFrame:
    """The lines of uploads as columns, as FAST_LINE and SCHEMA name them."""
    texts = [line for upload in uploads for line in _decode(upload)]
    fields = pl.Series("text", texts, dtype=pl.String).str.extract_groups(FAST_LINE).struct.unnest()
    return fields.cast({name: kind for name, kind in SCHEMA.items() if name in fields.columns})


def kept(lines: pl.DataFrame) -> pl.DataFrame:
    """Those that are to be stored, of as many routes as are sent."""
    return lines.filter(pl.col("status") != 200).with_columns(route=pl.col("latency") % len(ROUTES) + 1)
