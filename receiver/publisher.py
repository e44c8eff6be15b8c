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

# How long (seconds) an upload waits for others to share a record with, and how many bytes that has at the most: it is
# kept whole where it becomes a dead letter.
LINGER = 0.003
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
        self._open: _Shared | None = None
        # When each record that is waited for is overdue, the oldest first.
        self._due: dict[_Shared, float] = {}
        self._settle_overdue()

    async def publish(self, upload: Upload, body: bytes, sharing: bool) -> None:
        """Returns once all replicas in sync have the record that the upload is in, its own or a shared one.

        Only such a body is given for `sharing` as nothing can be the matter with, and as `uploads.record` takes with
        others. Raises Unavailable where it is not known whether Kafka has it (it may be in the log, or come to be), and
        Refusal (413) where Kafka takes no record as large.
        """
        producer = self._producers.current()
        waiter: asyncio.Future[Outcome] = self._loop.create_future()
        if sharing and uploads.size(upload) < self._shared_bytes:
            shared = self._room(producer, upload)
            shared.add(upload, body, waiter)
        else:
            shared = _Shared(producer)
            shared.add(upload, body, waiter)
            self._send(shared)
        outcome = await waiter
        # Where somebody gives up before, the others' deadline stays.
        self._due.pop(shared, None)
        if isinstance(outcome, _TOO_LARGE) and len(shared.uploads) > 1:
            await self.publish(upload, body, sharing=False)
        elif isinstance(outcome, Exception):
            raise self._failed(producer, outcome)
        else:
            self._checkpoint("receiver.acknowledged")

    def _room(self, producer: KafkaProducer, upload: Upload) -> _Shared:
        """A record with room for an upload, which will be sent by this producer."""
        shared = self._open
        if shared is not None and not (
            shared.producer is producer
            and shared.size + uploads.size(upload) <= self._shared_bytes
            and shared.lines + upload.lines <= self._max_lines
        ):
            self._send(shared)
            shared = None
        if shared is None:
            shared = self._open = _Shared(producer)
            self._loop.call_later(LINGER, self._send_open, shared)
        return shared

    def _send_open(self, shared: _Shared) -> None:
        if shared is self._open:
            self._send(shared)

    def _send(self, shared: _Shared) -> None:
        if shared is self._open:
            self._open = None
        self._due[shared] = self._loop.time() + self._deadline
        self._checkpoint("receiver.before_send")
        settle = partial(self._acknowledgements.settle, shared.waiters)
        try:
            value, headers = uploads.record(shared.uploads, shared.bodies)
            shared.producer.send(self._topic, value=value, headers=headers).add_callback(settle).add_errback(settle)
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


class _Shared:
    """Uploads that go into one record, and who waits for each."""

    __slots__ = ("bodies", "lines", "producer", "size", "uploads", "waiters")

    def __init__(self, producer: KafkaProducer) -> None:
        self.producer = producer
        self.uploads: list[Upload] = []
        self.bodies: list[bytes] = []
        self.waiters: list[asyncio.Future[Outcome]] = []
        self.size = self.lines = 0

    def add(self, upload: Upload, body: bytes, waiter: asyncio.Future[Outcome]) -> None:
        self.uploads.append(upload)
        self.bodies.append(body)
        self.waiters.append(waiter)
        self.size += uploads.size(upload)
        self.lines += upload.lines
