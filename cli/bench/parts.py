"""The parts themselves: what the wall has each do alone, and the bare processes all at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import polars as pl
from kafka import KafkaConsumer, TopicPartition

from cli.bench.load import ROUTES
from pipeline import uploads
from pipeline.batch import Headers
from pipeline.grammar import FAST_LINE
from pipeline.kafka import consuming
from pipeline.settings import Settings
from pipeline.uploads import Upload
from receiver.publisher import SHARED_BYTES
from tasks.frame import SCHEMA

_decode = msgspec.json.Decoder(list[str]).decode


def upload(body: bytes, now: datetime) -> Upload:
    """What is said of a body of ordinary lines, with names as long as an upload has."""
    return Upload(body.count(b'"') // 2, len(body), now, "0" * 32, "0" * 32)


def records(bodies: Sequence[bytes]) -> list[tuple[bytes, Headers]]:
    """Values and headers of records with as many of these bodies in each as a receiver puts together."""
    now = datetime.now(UTC)
    found: list[tuple[list[Upload], list[bytes]]] = []
    size = SHARED_BYTES  # so that the first begins a record
    for body in bodies:
        one = upload(body, now)
        size += uploads.size(one)
        if size > SHARED_BYTES:
            found.append(([], []))
            size = uploads.size(one)
        found[-1][0].append(one)
        found[-1][1].append(body)
    return [uploads.record(*some) for some in found]


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


def frame(values: Sequence[bytes]) -> pl.DataFrame:
    """The lines of records as columns, as FAST_LINE and SCHEMA name them."""
    texts = [line for value in values for line in _decode(value)]
    fields = pl.Series("text", texts, dtype=pl.String).str.extract_groups(FAST_LINE).struct.unnest()
    return fields.cast({name: kind for name, kind in SCHEMA.items() if name in fields.columns})


def kept(lines: pl.DataFrame) -> pl.DataFrame:
    """Those that are to be stored, of as many routes as are sent."""
    return lines.filter(pl.col("status") != 200).with_columns(route=pl.col("latency") % len(ROUTES) + 1)
