"""The tables, as Peewee models; what stands in them is the only authority.

Their DDL is in `migrations`. Bound to a database by `Store.open`.

Times are naive UTC with microseconds; `bucket` and `level` are seconds.
"""

from __future__ import annotations

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BlobField,
    CharField,
    CompositeKey,
    FixedCharField,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)

from pipeline.fields import BytesField, DigestField, MediumBlobField, UtcField

ZERO = [SQL("DEFAULT 0")]


class Stream(Model):
    """A topic as it was born: made again under the same name, it is another stream."""

    id = BigAutoField()
    cluster_id = CharField(max_length=64)
    topic = CharField(max_length=249)
    topic_id = CharField(max_length=36)
    state = FixedCharField(max_length=7)  # live, gone

    class Meta:
        table_name = "stream"
        indexes = ((("cluster_id", "topic", "topic_id"), True),)


class Progress(Model):
    """How far a partition is planned; the mark is of the last record that was read."""

    stream = BigIntegerField()
    part = IntegerField()
    generation = IntegerField()
    next_plan = BigIntegerField()
    end_offset = BigIntegerField()  # where the log ended
    seen_at = UtcField()  # when it was seen to end there
    mark_offset = BigIntegerField(null=True)
    mark_epoch = IntegerField(null=True)
    mark_time = BigIntegerField(null=True)  # Kafka's timestamp, ms since the epoch
    mark_crc = BigIntegerField(null=True)

    class Meta:
        table_name = "progress"
        primary_key = CompositeKey("stream", "part")


class Batch(Model):
    """A range of offsets, planned once and completed once."""

    id = BigAutoField()
    stream = BigIntegerField()
    part = IntegerField()
    generation = IntegerField()
    first = BigIntegerField()
    next = BigIntegerField()
    lines = BigIntegerField()
    digest = BytesField()
    state = FixedCharField(max_length=7)  # pending, done, lost
    attempts = IntegerField(constraints=ZERO)
    oldest_at = UtcField()  # when Kafka had its first record
    planned_at = UtcField(index=True)
    dispatched_at = UtcField()
    done_at = UtcField(null=True)
    stored = BigIntegerField(constraints=ZERO)
    discarded = BigIntegerField(constraints=ZERO)
    rejected = BigIntegerField(constraints=ZERO)
    duplicate = BigIntegerField(constraints=ZERO)

    class Meta:
        table_name = "batch"
        indexes = (
            (("stream", "part", "generation", "first"), True),
            (("state", "stream", "part", "first"), False),
        )


class UploadKey(Model):
    """Which record counts, of those that a client's upload is in; of several copies in that one, the first."""

    identity = BytesField(primary_key=True)
    stream = BigIntegerField()
    part = IntegerField()
    generation = IntegerField()
    offset = BigIntegerField()
    received = UtcField(index=True)

    class Meta:
        table_name = "upload_key"


class DeadLetter(Model):
    """What could not be stored as a log entry, why, and where it stood."""

    id = BigAutoField()
    stream = BigIntegerField()
    part = IntegerField()
    offset = BigIntegerField()
    line_index = IntegerField(null=True)  # null: the record as a whole
    reason = CharField(max_length=32)
    detail = TextField()
    payload = MediumBlobField()
    created_at = UtcField(index=True)
    retried_at = UtcField(null=True)  # when Kafka took it anew

    class Meta:
        table_name = "dead_letter"


class LedgerMinute(Model):
    """The sums of batches that were pruned, by the minute in which they were planned."""

    minute = UtcField(primary_key=True)
    received = BigIntegerField()
    stored = BigIntegerField()
    discarded = BigIntegerField()
    rejected = BigIntegerField()
    duplicate = BigIntegerField()
    lost = BigIntegerField()

    class Meta:
        table_name = "ledger"


class ApiKey(Model):
    """A key of the API: who may send or read, and what was done with it."""

    id = BigAutoField()
    public_id = FixedCharField(max_length=16, unique=True)
    digest = DigestField()  # SHA-256 of the key; the key itself only its owner has
    name = CharField(max_length=100)
    scopes = CharField(max_length=50)  # separated by commas
    rate = IntegerField(null=True)  # requests a second
    created_at = UtcField()
    last_used_at = UtcField(null=True)
    revoked_at = UtcField(null=True)
    uploads = BigIntegerField(constraints=ZERO)
    lines = BigIntegerField(constraints=ZERO)
    refusals = BigIntegerField(constraints=ZERO)

    class Meta:
        table_name = "api_key"


class LogEntry(Model):
    """A stored line."""

    id = BigAutoField()
    timestamp = UtcField()
    ip = CharField(max_length=45)
    method = CharField(max_length=10)
    path = CharField(max_length=2048)
    status = SmallIntegerField(index=True)
    latency_ms = IntegerField()
    batch = BigIntegerField(constraints=ZERO)
    route = BigIntegerField(constraints=ZERO, index=True)  # of its path's template; 0 where that is counted as `other`

    class Meta:
        table_name = "log_entries"


class LogBlock(Model):
    """Where a minute's entries are among a block of ids (`pipeline.blocks`): cheaper than an index on time."""

    minute = BigIntegerField()
    block = BigIntegerField()
    first = BigIntegerField()
    last = BigIntegerField()
    entries = BigIntegerField()

    class Meta:
        table_name = "log_block"
        primary_key = CompositeKey("minute", "block")


class Route(Model):
    """A template (`pipeline.routes`) that is counted by name."""

    id = BigAutoField()
    template = CharField(max_length=500, unique=True)

    class Meta:
        table_name = "route"


class RouteDay(Model):
    """A template that is counted by name in the lines of a day (seconds); route 0 is the lock that guards the day."""

    day = BigIntegerField()
    route = BigIntegerField()

    class Meta:
        table_name = "route_day"
        primary_key = CompositeKey("day", "route")


class RequestRollup(Model):
    """Requests of one bucket, by what was kept, status and method; methods past the known ones are `other`."""

    level = IntegerField()
    bucket = BigIntegerField()
    kept = SmallIntegerField()
    status = SmallIntegerField()
    method = CharField(max_length=10)
    requests = BigIntegerField()
    latency_sum = BigIntegerField()
    latency_max = BigIntegerField()
    latency = BlobField()  # `pipeline.histogram`

    class Meta:
        table_name = "rollup_requests"
        primary_key = CompositeKey("level", "bucket", "kept", "status", "method")


class RouteRollup(Model):
    """Requests of one bucket, by route, what was kept, and the status' class (2 for 2xx)."""

    level = IntegerField()
    bucket = BigIntegerField()
    route = BigIntegerField()
    kept = SmallIntegerField()
    status_class = SmallIntegerField(column_name="class")
    requests = BigIntegerField()
    latency_sum = BigIntegerField()
    latency_max = BigIntegerField()
    latency = BlobField()

    class Meta:
        table_name = "rollup_routes"
        primary_key = CompositeKey("level", "bucket", "route", "kept", "status_class")


class VisitorRollup(Model):
    """The addresses seen in one bucket, as a HyperLogLog (`pipeline.visitors`)."""

    level = IntegerField()
    bucket = BigIntegerField()
    kept = SmallIntegerField()
    sketch = BlobField()

    class Meta:
        table_name = "rollup_visitors"
        primary_key = CompositeKey("level", "bucket", "kept")


MODELS = (
    Stream,
    Progress,
    Batch,
    UploadKey,
    DeadLetter,
    LedgerMinute,
    ApiKey,
    LogEntry,
    LogBlock,
    Route,
    RouteDay,
    RequestRollup,
    RouteRollup,
    VisitorRollup,
)
