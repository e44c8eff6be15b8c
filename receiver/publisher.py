"""Handing records to Kafka: done means that Kafka has the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError, RecordListTooLargeError

from pipeline.batch import Headers
from pipeline.checkpoint import Checkpoint
from pipeline.errors import TallyError, Unavailable
from receiver.acknowledgements import Acknowledgements, Outcome
from receiver.producers import Producers
from receiver.refusal import Refusal

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class Publisher:
    """Publishes to one topic through whichever producer is in use; belongs to one event loop."""

    def __init__(
        self,
        producers: Producers,
        topic: str,
        deadline: float,
        checkpoint: Checkpoint,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`deadline`, in seconds, lies beyond the producers' own: one that misses it is not to be trusted. That is
        noticed a tenth of it later at the most."""
        self._producers = producers
        self._topic = topic
        self._deadline = deadline
        self._checkpoint = checkpoint
        self._loop = loop
        self._acknowledgements = Acknowledgements(loop)
        # When each record that is waited for is overdue, by what settles it; the oldest first.
        self._due: dict[Callable[[Outcome], None], float] = {}
        self._settle_overdue()

    async def publish(self, value: bytes, headers: Headers) -> None:
        """Returns once all replicas in sync have the record.

        Raises Unavailable where that is not known (it may be in the log, or come to be), and Refusal (413) where
        Kafka takes no record as large.
        """
        producer = self._producers.current()
        self._checkpoint("receiver.before_send")
        waiter: asyncio.Future[Outcome] = self._loop.create_future()
        settle = partial(self._acknowledgements.settle, waiter)
        self._due[settle] = self._loop.time() + self._deadline
        try:
            producer.send(self._topic, value=value, headers=headers).add_callback(settle).add_errback(settle)
            outcome = await waiter
        except (KafkaError, ValueError) as error:
            raise self._failed(producer, error) from None
        finally:
            del self._due[settle]
        if isinstance(outcome, Exception):
            raise self._failed(producer, outcome)
        self._checkpoint("receiver.acknowledged")

    def _settle_overdue(self) -> None:
        """Settles what is overdue, and looks again soon: a timer for all costs an upload less than one of its own."""
        self._loop.call_later(self._deadline / 10, self._settle_overdue)
        now = self._loop.time()
        for settle, due in self._due.items():
            if due > now:
                break
            settle(KafkaTimeoutError("no acknowledgement in time"))

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
