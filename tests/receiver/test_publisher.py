"""When an upload is said to be in Kafka, and what becomes of a producer that does not say so; a stand-in for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, NotLeaderForPartitionError
from kafka.future import Future

from pipeline.checkpoint import nowhere
from pipeline.errors import Unavailable
from receiver.publisher import Publisher
from receiver.refusal import Refusal


class Producing:
    """A producer, and all that a publisher knows of the producers: what it was handed, and why it was abandoned."""

    def __init__(self) -> None:
        self.sent: list[Future] = []
        self.abandoned: list[str] = []

    def current(self) -> Any:
        return self

    def send(self, *_: object, **__: object) -> Future:
        self.sent.append(Future())
        return self.sent[-1]

    def abandon(self, producer: object, why: str) -> None:
        assert producer is self
        self.abandoned.append(why)


def publishing(deadline: float, test: Callable[[asyncio.Task[None], Producing], Awaitable[None]]) -> Producing:
    """Runs a test of one upload, once it was handed to the producer."""
    producing = Producing()

    async def run() -> None:
        publisher = Publisher(producing, "raw-logs", deadline, nowhere, asyncio.get_running_loop())  # type: ignore[arg-type]
        upload = asyncio.create_task(publisher.publish(b"[]", []))
        while not producing.sent:
            await asyncio.sleep(0)
        await test(upload, producing)

    asyncio.run(run())
    return producing


def test_nothing_is_said_before_kafka_has_the_record() -> None:
    async def test(upload: asyncio.Task[None], producing: Producing) -> None:
        await asyncio.sleep(0.05)
        assert not upload.done()
        producing.sent[0].success("its offset")
        await asyncio.wait_for(upload, 5)

    assert publishing(60, test).abandoned == []


def test_what_stays_unresolved_is_unknown_and_its_producer_abandoned() -> None:
    async def test(upload: asyncio.Task[None], producing: Producing) -> None:
        with pytest.raises(Unavailable, match="no acknowledgement in time"):
            await asyncio.wait_for(upload, 5)
        # The broker answers after all: nobody waits for it any more.
        producing.sent[0].success("its offset")
        await asyncio.sleep(0)

    assert len(publishing(0.05, test).abandoned) == 1


def test_what_is_overdue_takes_nothing_with_it_that_has_time_left() -> None:
    producing = Producing()

    async def run() -> None:
        publisher = Publisher(producing, "raw-logs", 0.5, nowhere, asyncio.get_running_loop())  # type: ignore[arg-type]
        overdue = asyncio.create_task(publisher.publish(b"[]", []))
        await asyncio.sleep(0.3)
        other = asyncio.create_task(publisher.publish(b"[]", []))
        with pytest.raises(Unavailable, match="no acknowledgement in time"):
            await asyncio.wait_for(overdue, 5)
        assert not other.done()
        producing.sent[1].success("its offset")
        await asyncio.wait_for(other, 5)

    asyncio.run(run())
    assert len(producing.abandoned) == 1


@pytest.mark.parametrize("error", [KafkaTimeoutError("it expired"), NotLeaderForPartitionError()])
def test_what_kafka_did_not_acknowledge_is_unknown_and_its_producer_abandoned(error: Exception) -> None:
    async def test(upload: asyncio.Task[None], producing: Producing) -> None:
        producing.sent[0].failure(error)
        with pytest.raises(Unavailable, match=type(error).__name__):
            await asyncio.wait_for(upload, 5)

    assert len(publishing(60, test).abandoned) == 1


def test_a_record_that_kafka_never_takes_is_refused_and_its_producer_kept() -> None:
    async def test(upload: asyncio.Task[None], producing: Producing) -> None:
        producing.sent[0].failure(MessageSizeTooLargeError("too large"))
        with pytest.raises(Refusal, match=r"max\.message\.bytes"):
            await asyncio.wait_for(upload, 5)

    assert publishing(60, test).abandoned == []
