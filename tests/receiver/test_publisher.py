"""When an upload is said to be in Kafka, and what becomes of a producer that does not say so; a stand-in for it."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, NotLeaderForPartitionError
from kafka.future import Future

from pipeline.batch import Headers
from pipeline.checkpoint import nowhere
from pipeline.errors import Unavailable
from pipeline.uploads import Upload, held
from receiver.publisher import SHARED_BYTES, Publisher
from receiver.refusal import Refusal
from tests.records import Rec, line

NOW = datetime(2025, 6, 10, tzinfo=UTC)


class Producing:
    """A producer, and all that a publisher knows of the producers: what it was handed, and why it was abandoned."""

    def __init__(self) -> None:
        self.sent: list[Future] = []
        self.records: list[Rec] = []
        self.abandoned: list[str] = []
        self.failure: Exception | None = None

    def current(self) -> Any:
        return self

    def send(self, _topic: str, value: bytes, headers: Headers) -> Future:
        if self.failure is not None:
            raise self.failure
        self.records.append(Rec(len(self.sent), value, tuple(headers)))
        self.sent.append(Future())
        return self.sent[-1]

    def abandon(self, producer: object, why: str) -> None:
        assert producer is self
        self.abandoned.append(why)


def publisher_of(
    producing: Producing, deadline: float = 60, max_bytes: int = 2**20, max_lines: int = 1_000
) -> Publisher:
    loop = asyncio.get_running_loop()
    return Publisher(producing, "raw-logs", deadline, max_bytes, max_lines, nowhere, loop)  # type: ignore[arg-type]


async def publish(publisher: Publisher, number: int = 0, sharing: bool = True, size: int = 0) -> None:
    """Publishes an upload of one line; it has a key that is its number, and is larger by `size` bytes."""
    body = json.dumps([line(path=f"/{number}" + "x" * size)]).encode()
    await publisher.publish(Upload(1, len(body), NOW, "r", str(number)), body, sharing)


def publishing(deadline: float, test: Callable[[asyncio.Task[None], Producing], Awaitable[None]]) -> Producing:
    """Runs a test of one upload, once it was handed to the producer."""
    producing = Producing()

    async def run() -> None:
        upload = asyncio.create_task(publish(publisher_of(producing, deadline), sharing=False))
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
        publisher = publisher_of(producing, 0.5)
        overdue = asyncio.create_task(publish(publisher, sharing=False))
        await asyncio.sleep(0.3)
        other = asyncio.create_task(publish(publisher, sharing=False))
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


def keys(record: Rec) -> list[int]:
    return [int(upload.key or b"") for upload in held(record)]


def size(record: Rec) -> int:
    return len(record.value or b"") + sum(len(value or b"") for _, value in record.headers)


async def acknowledged(producing: Producing, uploads: Iterable[asyncio.Task[None]]) -> None:
    """Has Kafka take all that it was sent, and waits for these uploads."""
    for sent in producing.sent:
        sent.success("its offset")
    await asyncio.wait_for(asyncio.gather(*uploads), 5)


def test_uploads_that_come_together_share_a_record_and_each_waits_for_it() -> None:
    producing = Producing()

    async def run() -> None:
        publisher = publisher_of(producing)
        together = [asyncio.create_task(publish(publisher, number)) for number in range(5)]
        await asyncio.sleep(0.05)
        assert [keys(record) for record in producing.records] == [[0, 1, 2, 3, 4]]
        assert not any(upload.done() for upload in together)
        later = asyncio.create_task(publish(publisher, 5))
        await asyncio.sleep(0.05)
        assert keys(producing.records[1]) == [5]
        producing.sent[0].success("its offset")
        await asyncio.wait_for(asyncio.gather(*together), 5)
        assert not later.done()
        producing.sent[1].success("its offset")
        await asyncio.wait_for(later, 5)

    asyncio.run(run())


def test_what_may_not_share_goes_at_once_and_alone() -> None:
    producing = Producing()

    async def run() -> None:
        publisher = publisher_of(producing)
        uploads = [asyncio.create_task(publish(publisher, number, sharing=number != 1)) for number in range(3)]
        await asyncio.sleep(0)
        assert [keys(record) for record in producing.records] == [[1]]
        await asyncio.sleep(0.05)
        assert [keys(record) for record in producing.records] == [[1], [0, 2]]
        await acknowledged(producing, uploads)

    asyncio.run(run())


@pytest.mark.parametrize("max_bytes", [1_500, 5_000, 2**20])
def test_a_shared_record_stays_small_and_what_is_large_is_alone(max_bytes: int) -> None:
    producing = Producing()
    limit = min(SHARED_BYTES, max_bytes)

    async def run() -> None:
        publisher = publisher_of(producing, max_bytes=max_bytes)
        sizes = [0, limit // 3, limit, 0, limit // 2, 0, limit // 2, *([0] * 300)]
        uploads = [asyncio.create_task(publish(publisher, number, size=size)) for number, size in enumerate(sizes)]
        await asyncio.sleep(0.1)
        await acknowledged(producing, uploads)

    asyncio.run(run())
    found = [keys(record) for record in producing.records]
    assert sorted(key for some in found for key in some) == list(range(307))
    assert [2] in found
    for record in producing.records:
        if len(keys(record)) > 1:
            assert size(record) <= limit


def test_names_of_any_length_stay_within_what_a_record_may_have() -> None:
    producing = Producing()
    key, request = '"' * 255, "r" * 128

    async def run() -> None:
        publisher = publisher_of(producing, max_bytes=10_000)
        body = json.dumps([line()]).encode()
        one = Upload(1, len(body), NOW.replace(microsecond=1), request, key, "a" * 32)
        uploads = [asyncio.create_task(publisher.publish(one, body, True)) for _ in range(50)]
        await asyncio.sleep(0.1)
        await acknowledged(producing, uploads)

    asyncio.run(run())
    sizes = [size(record) for record in producing.records]
    assert 3 < len(sizes) < 12
    assert max(sizes) <= 10_000


def test_a_shared_record_has_no_more_lines_than_an_upload_may_have() -> None:
    producing = Producing()

    async def run() -> None:
        publisher = publisher_of(producing, max_lines=3)
        uploads = [asyncio.create_task(publish(publisher, number)) for number in range(7)]
        await asyncio.sleep(0.05)
        await acknowledged(producing, uploads)

    asyncio.run(run())
    assert [keys(record) for record in producing.records] == [[0, 1, 2], [3, 4, 5], [6]]


def test_what_kafka_takes_alone_is_sent_alone_where_it_does_not_take_it_with_others() -> None:
    producing = Producing()

    async def run() -> None:
        publisher = publisher_of(producing)
        together = [asyncio.create_task(publish(publisher, number)) for number in range(3)]
        await asyncio.sleep(0.05)
        producing.sent[0].failure(MessageSizeTooLargeError("too large"))
        await asyncio.sleep(0.05)
        assert [keys(record) for record in producing.records] == [[0, 1, 2], [0], [1], [2]]
        producing.sent[1].success("its offset")
        producing.sent[2].failure(MessageSizeTooLargeError("too large"))
        producing.sent[3].success("its offset")
        outcomes = await asyncio.wait_for(asyncio.gather(*together, return_exceptions=True), 5)
        assert [type(outcome) for outcome in outcomes] == [type(None), Refusal, type(None)]

    asyncio.run(run())
    assert producing.abandoned == []


@pytest.mark.parametrize("failure", [KafkaTimeoutError("no room"), RuntimeError("NetworkSelector closed!")])
def test_what_cannot_be_sent_is_not_kept_in_memory_and_its_producer_is_abandoned(failure: Exception) -> None:
    producing = Producing()
    producing.failure = failure

    class Body(bytes):
        """One that is counted while it is there."""

        alive = 0

        def __new__(cls) -> Body:
            cls.alive += 1
            return super().__new__(cls, json.dumps([line()]).encode())

        def __del__(self) -> None:
            Body.alive -= 1

    async def run() -> None:
        publisher = publisher_of(producing)
        for sharing in (True, False):
            body = Body()
            # `asyncio.wait_for` would keep the exception, and with it all that its frames have.
            with pytest.raises(Unavailable):
                await publisher.publish(Upload(1, len(body), NOW, "r"), body, sharing)
            del body

    gc.collect()
    gc.disable()
    try:
        asyncio.run(run())
        assert Body.alive == 0
    finally:
        gc.enable()
    assert len(producing.abandoned) == 2


@pytest.mark.parametrize("at_once", [False, True])
def test_what_fails_fails_for_all_that_share_it_and_for_nobody_else(at_once: bool) -> None:
    producing = Producing()

    async def run() -> None:
        publisher = publisher_of(producing)
        other = asyncio.create_task(publish(publisher, 9, sharing=False))
        await asyncio.sleep(0)
        if at_once:
            producing.failure = KafkaTimeoutError("no room")
        together = [asyncio.create_task(publish(publisher, number)) for number in range(3)]
        await asyncio.sleep(0.05)
        if not at_once:
            producing.sent[1].failure(KafkaTimeoutError("it expired"))
        for outcome in await asyncio.wait_for(asyncio.gather(*together, return_exceptions=True), 5):
            assert isinstance(outcome, Unavailable)
        assert not other.done()
        producing.sent[0].success("its offset")
        await asyncio.wait_for(other, 5)

    asyncio.run(run())
    assert len(producing.abandoned) == 3


@pytest.mark.parametrize("before", [True, False])
def test_who_gives_up_takes_nobody_along_and_leaves_nothing_behind(before: bool) -> None:
    producing = Producing()

    async def run() -> None:
        publisher = publisher_of(producing, 0.2)
        together = [asyncio.create_task(publish(publisher, number)) for number in range(2)]
        alone = asyncio.create_task(publish(publisher, 2, sharing=False))
        await asyncio.sleep(0 if before else 0.05)
        together[0].cancel()
        alone.cancel()
        await asyncio.sleep(0.05)
        assert keys(producing.records[1]) == [0, 1]
        producing.sent[1].success("its offset")
        await asyncio.wait_for(together[1], 5)
        await asyncio.sleep(0.3)
        assert publisher._due == {}

    asyncio.run(run())
    assert producing.abandoned == []


def test_who_gives_up_leaves_the_others_their_deadline() -> None:
    producing = Producing()

    async def run() -> None:
        publisher = publisher_of(producing, 0.2)
        together = [asyncio.create_task(publish(publisher, number)) for number in range(2)]
        await asyncio.sleep(0.05)
        together[0].cancel()
        with pytest.raises(Unavailable, match="no acknowledgement in time"):
            await asyncio.wait_for(together[1], 5)

    asyncio.run(run())
    assert len(producing.abandoned) == 1


def test_uploads_after_another_producer_was_built_go_by_that_one() -> None:
    old, new = Producing(), Producing()

    async def run() -> None:
        publisher = publisher_of(old)
        first = asyncio.create_task(publish(publisher, 0))
        await asyncio.sleep(0)
        publisher._producers = new  # type: ignore[assignment]
        second = asyncio.create_task(publish(publisher, 1))
        await asyncio.sleep(0.05)
        assert [[keys(one) for one in producing.records] for producing in (old, new)] == [[[0]], [[1]]]
        old.sent[0].success("its offset")
        new.sent[0].success("its offset")
        await asyncio.wait_for(asyncio.gather(first, second), 5)

    asyncio.run(run())
