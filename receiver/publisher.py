"""Handing records to Kafka: done means that Kafka has the record."""

from __future__ import annotations

import asyncio
from functools import partial

from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError, RecordListTooLargeError

from pipeline.checkpoint import Checkpoint
from pipeline.errors import Unavailable
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
        """`deadline`, in seconds, lies beyond the producers' own: one that misses it is not to be trusted."""
        self._producers = producers
        self._topic = topic
        self._deadline = deadline
        self._checkpoint = checkpoint
        self._loop = loop
        self._acknowledgements = Acknowledgements(loop)

    async def publish(self, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        """Returns once all replicas in sync have the record.

        Raises Unavailable where that is not known (it may be in the log, or come to be), and Refusal (413) where
        Kafka takes no record as large.
        """
        producer = self._producers.current()
        self._checkpoint("receiver.before_send")
        waiter: asyncio.Future[Outcome] = self._loop.create_future()
        settle = partial(self._acknowledgements.settle, waiter)
        overdue = self._loop.call_later(self._deadline, settle, KafkaTimeoutError("no acknowledgement in time"))
        try:
            producer.send(self._topic, value=value, headers=headers).add_callback(settle).add_errback(settle)
            outcome = await waiter
        except (KafkaError, ValueError) as error:
            outcome = error
        finally:
            overdue.cancel()
        if isinstance(outcome, _TOO_LARGE):
            # The topic was not made by `tally migrate`; an endless 503 would not help the client.
            raise Refusal(413, f"Kafka takes no record as large: max.message.bytes of topic {self._topic} is too low")
        if isinstance(outcome, Exception):
            why = Unavailable("kafka", f"{type(outcome).__name__}: {outcome}")
            self._producers.abandon(producer, why)
            raise why
        self._checkpoint("receiver.acknowledged")
