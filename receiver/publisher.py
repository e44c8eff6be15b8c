"""Handing uploads to Kafka: done means that Kafka has the record that an upload is in."""

from __future__ import annotations

import asyncio
from functools import partial

from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, RecordListTooLargeError

from pipeline import uploads
from pipeline.batch import PAYLOAD
from pipeline.checkpoint import Checkpoint
from pipeline.errors import TallyError, Unavailable
from pipeline.uploads import Upload
from receiver.acknowledgements import Acknowledgements, Outcome
from receiver.producers import Producers
from receiver.refusal import Refusal

# How long an upload waits for others to share a record with (uvloop counts whole milliseconds), and how many bytes that
# has at the most: it is kept whole where it becomes a dead letter.
LINGER_SECONDS = 0.002
SHARED_BYTES = PAYLOAD

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class Publisher:
    """Publishes to one topic through whichever producer is in use; belongs to one event loop."""

    def __init__(
        self,
        producers: Producers,
        topic: str,
        deadline: float,
        max_bytes: int,
        max_lines: int,
        checkpoint: Checkpoint,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`deadline`, in seconds, lies beyond the producers' own: one that misses it is not to be trusted. That is
        noticed a tenth of it later at the most. What several uploads share has `max_bytes` and `max_lines` at the most,
        as has an upload."""
        self._producers = producers
        self._topic = topic
        self._deadline = deadline
        self._shared_bytes = min(SHARED_BYTES, max_bytes)
        self._max_lines = max_lines
        self._checkpoint = checkpoint
        self._loop = loop
        self._acknowledgements = Acknowledgements(loop)
        self._open: _Record | None = None
        # When each record that is waited for is overdue, the oldest first.
        self._due: dict[_Record, float] = {}
        self._settle_overdue()

    async def publish(self, upload: Upload, body: bytes, sharing: bool) -> None:
        """Returns once all replicas in sync have the record that the upload is in.

        With `sharing` (`Verdict.can_share`) it may be in one with others: nothing in it can be their fault, and its
        brackets can be cut off. Raises Unavailable where it is not known whether Kafka has it (it may be in the log, or
        come to be), and Refusal (413) where Kafka takes no record as large.
        """
        producer = self._producers.current()
        waiter: asyncio.Future[Outcome] = self._loop.create_future()
        size = uploads.size(upload)
        if sharing and size <= self._shared_bytes:
            record = self._with_room(producer, size, upload.lines)
            record.add(upload, body, waiter, size)
        else:
            record = _Record(producer)
            record.add(upload, body, waiter, size)
            self._send(record)
        outcome = await waiter
        # Where somebody gives up before, the others' deadline stays.
        self._due.pop(record, None)
        if isinstance(outcome, _TOO_LARGE) and len(record.uploads) > 1:
            await self.publish(upload, body, sharing=False)
        elif isinstance(outcome, Exception):
            raise self._failed(producer, outcome)
        else:
            self._checkpoint("receiver.acknowledged")

    def _with_room(self, producer: KafkaProducer, size: int, lines: int) -> _Record:
        """A record with room for so much, which will be sent by this producer."""
        if (record := self._open) is not None and (
            record.producer is not producer
            or record.size + size > self._shared_bytes
            or record.lines + lines > self._max_lines
        ):
            self._send(record)
        if self._open is None:
            self._open = _Record(producer)
            self._loop.call_later(LINGER_SECONDS, self._send_open, self._open)
        return self._open

    def _send_open(self, record: _Record) -> None:
        if record is self._open:
            self._send(record)

    def _send(self, record: _Record) -> None:
        if record is self._open:
            self._open = None
        self._due[record] = self._loop.time() + self._deadline
        self._checkpoint("receiver.before_send")
        settle = partial(self._acknowledgements.settle, record.waiters)
        try:
            value, headers = uploads.record(record.uploads, record.bodies)
            record.producer.send(self._topic, value=value, headers=headers).add_callback(settle).add_errback(settle)
        except Exception as error:
            # Without this frame, which has the bodies.
            settle(error.with_traceback(None))

    def _settle_overdue(self) -> None:
        """Settles what is overdue, and looks again soon: a timer for all costs an upload less than one of its own."""
        self._loop.call_later(self._deadline / 10, self._settle_overdue)
        now = self._loop.time()
        while self._due and self._due[overdue := next(iter(self._due))] <= now:
            del self._due[overdue]
            self._acknowledgements.settle(overdue.waiters, KafkaTimeoutError("no acknowledgement in time"))

    def _failed(self, producer: KafkaProducer, error: Exception) -> TallyError:
        """What a record that was not acknowledged is answered with; the producer is not used again.

        Made here, not where it is raised: an exception in a variable of the frame that raises it would keep the body
        in memory until the garbage collector comes.
        """
        if isinstance(error, _TOO_LARGE):
            # The topic was not made by `tally migrate`; an endless 503 would not help the client.
            return Refusal(413, f"Kafka takes no record as large: max.message.bytes of topic {self._topic} is too low")
        why = f"{type(error).__name__}: {error}"
        self._producers.abandon(producer, why)
        return Unavailable("kafka", why)


class _Record:
    """A record while it is filled and waited for: its uploads, and who waits for each."""

    __slots__ = ("bodies", "lines", "producer", "size", "uploads", "waiters")

    def __init__(self, producer: KafkaProducer) -> None:
        self.producer = producer
        self.uploads: list[Upload] = []
        self.bodies: list[bytes] = []
        self.waiters: list[asyncio.Future[Outcome]] = []
        self.size = self.lines = 0

    def add(self, upload: Upload, body: bytes, waiter: asyncio.Future[Outcome], size: int) -> None:
        self.uploads.append(upload)
        self.bodies.append(body)
        self.waiters.append(waiter)
        self.size += size
        self.lines += upload.lines
