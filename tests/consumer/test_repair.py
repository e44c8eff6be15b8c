"""Repair: what stays pending is sent again, soon and not too often."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import prometheus_client
import pytest
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from consumer.plan import Plan
from consumer.repair import EPOCH_KEY, MESSAGES_A_PASS, Repair
from pipeline import messages
from pipeline.batch import Range
from pipeline.models import Batch, Stream
from pipeline.storage import Store
from pipeline.topic import Identity
from tests.records import line, upload
from tests.servers import Backend
from tests.stores import refusing


class Clock:
    """A monotonic clock that moves when it is told to; `age` moves the plan's times back with it."""

    def __init__(self, store: Store) -> None:
        self.now = 1000.0
        self._store = store

    def __call__(self) -> float:
        return self.now

    def age(self, seconds: float) -> None:
        """Lets time pass, for this clock and for the database's."""
        self.now += seconds

        def work() -> None:
            for at in sorted({row.dispatched_at for row in Batch.select()}):
                moved = at - timedelta(seconds=seconds)
                Batch.update(dispatched_at=moved).where(Batch.dispatched_at == at).execute()

        self._store.write(work)


@pytest.fixture
def clock(store: Store) -> Clock:
    return Clock(store)


@pytest.fixture
def repair(store: Store, broker: RedisBroker, clock: Clock) -> Repair:
    """A repair that has made its first pass, over nothing."""
    made = another(store, broker, clock)
    made.repair()
    return made


def another(store: Store, broker: RedisBroker, clock: Clock) -> Repair:
    return Repair(store, broker, "cluster", "raw-logs", prometheus_client.Counter("sent", "", registry=None), clock)


def planned(
    store: Store, count: int, topic_id: str = "topic-id", topic: str = "raw-logs", cluster_id: str = "cluster"
) -> list[Range]:
    """So many pending batches, over three partitions."""
    plan = Plan.of(store, Identity(cluster_id, topic, topic_id, 3))
    orders = []
    for n in range(count):
        first = plan.planned(n % 3, 0).next_plan
        orders.append(plan.add(n % 3, 0, first, [upload(first, [line()])], 1))
    return orders


def sent(broker: RedisBroker) -> list[Message[Any]]:
    """What waits on the queue, in order, and takes it away."""
    ids = [id.decode() for id in broker.client.lrange("dramatiq:ingest", 0, -1)]
    found = [Message.decode(broker.client.hget("dramatiq:ingest.msgs", id)) for id in ids]
    broker.client.delete("dramatiq:ingest", "dramatiq:ingest.msgs")
    return found


def ranges(found: list[Message[Any]]) -> Counter[Range]:
    return Counter(msgspec.convert(message.kwargs["batch"], Range) for message in found)


def state(store: Store, value: str) -> None:
    store.write(lambda: Batch.update(state=value).execute())


def test_a_pending_batch_is_sent_again_after_five_seconds_and_not_before(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair
) -> None:
    orders = planned(store, 2)
    clock.age(4.0)
    assert repair.repair() is False
    assert sent(broker) == []
    clock.age(1.5)
    repair.repair()
    found = sent(broker)
    assert ranges(found) == Counter(orders)
    assert {message.kwargs["again"] for message in found} == {True}


def test_the_wait_doubles_up_to_half_a_minute(store: Store, broker: RedisBroker, clock: Clock, repair: Repair) -> None:
    planned(store, 1)
    waits, since = [], 0
    for _ in range(240):
        clock.age(1.0)
        since += 1
        repair.repair()
        if sent(broker):
            waits.append(since)
            since = 0
    assert waits == [5, 5, 10, 20, 30, 30, 30, 30, 30, 30]


@pytest.mark.parametrize("value", ["done", "lost"])
def test_what_is_not_pending_is_not_sent(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair, value: str
) -> None:
    planned(store, 3)
    state(store, value)
    clock.age(100)
    repair.repair()
    broker.client.flushdb()
    repair.repair()
    assert sent(broker) == []


@pytest.mark.parametrize("value", ["done", "lost"])
def test_what_ends_between_the_look_and_the_message_is_not_sent(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair, value: str
) -> None:
    planned(store, 3)
    clock.age(6)
    stale = repair._pending(5.0)
    state(store, value)
    for one in stale:
        repair._send(one)
    assert len(stale) == 3
    assert sent(broker) == []


def test_a_pass_sends_sixteen_messages_at_the_most_and_the_next_comes_at_once(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair
) -> None:
    orders = planned(store, 40)
    clock.age(6)
    found: list[Message[Any]] = []
    for expected in (MESSAGES_A_PASS, MESSAGES_A_PASS, 8, 0):
        assert repair.repair() is (expected == MESSAGES_A_PASS)
        of_pass = sent(broker)
        assert len(of_pass) == expected
        found += of_pass
    assert ranges(found) == Counter(orders)


def test_what_redis_forgot_is_sent_again_at_once(store: Store, broker: RedisBroker, repair: Repair) -> None:
    orders = planned(store, 20)
    repair.repair()
    assert sent(broker) == []
    broker.client.flushdb()
    assert repair.repair() is True
    assert broker.client.get(EPOCH_KEY)
    assert repair.repair() is False
    assert ranges(sent(broker)) == Counter(orders)
    repair.repair()
    assert sent(broker) == []


def test_a_redis_that_forgets_once_more_while_all_is_sent_again_is_noticed(
    store: Store, broker: RedisBroker, clock: Clock
) -> None:
    sending: list[str] = []

    def checkpoint(step: str) -> None:
        sending.append(step)
        if len(sending) == 2:
            broker.client.flushdb()

    counter = prometheus_client.Counter("sent", "", registry=None)
    repair = Repair(store, broker, "cluster", "raw-logs", counter, clock, checkpoint)
    orders = planned(store, 3)
    repair.repair()
    broker.client.flushdb()
    repair.repair()
    assert len(sending) == len(orders)
    # The first message is gone, and with it the sentinel that had been set before it was sent.
    assert not broker.client.exists(EPOCH_KEY)
    repair.repair()
    assert ranges(sent(broker)).keys() == set(orders)


def test_a_redis_that_was_replaced_by_an_older_one_is_noticed_too(
    store: Store, broker: RedisBroker, repair: Repair
) -> None:
    orders = planned(store, 2)
    broker.client.set(EPOCH_KEY, b"another")
    repair.repair()
    assert ranges(sent(broker)) == Counter(orders)


def test_without_workers_the_queue_does_not_grow_past_what_is_pending(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair
) -> None:
    planned(store, 30)
    for _ in range(60):
        clock.age(10)
        repair.repair()
    assert messages.waiting(broker, messages.INGEST) <= 30 + MESSAGES_A_PASS


def test_two_repairs_send_a_batch_once(store: Store, broker: RedisBroker, clock: Clock, repair: Repair) -> None:
    orders = planned(store, 12)
    clock.age(6)
    repairs, start = [repair, another(store, broker, clock)], threading.Barrier(2)
    stale = [one._pending(5.0) for one in repairs]

    def send(number: int) -> None:
        start.wait()
        for batch in stale[number]:
            repairs[number]._send(batch)
        store.disconnect()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ranges(sent(broker)) == Counter(orders)


@pytest.mark.real_only
def test_a_batch_that_a_worker_holds_is_left_to_it_without_waiting(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair
) -> None:
    orders = planned(store, 3)
    clock.age(6)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        def work() -> None:
            Batch.update(state="done").where(Batch.part == 1).execute()
            holding.set()
            release.wait(20)

        store.write(work)
        store.disconnect()

    worker = threading.Thread(target=hold)
    worker.start()
    holding.wait(5)
    try:
        repair.repair()
        assert ranges(sent(broker)) == Counter([orders[0], orders[2]])
    finally:
        release.set()
        worker.join()


def test_streams_that_nobody_is_assigned_are_repaired_too(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair
) -> None:
    orders = planned(store, 2) + planned(store, 2, topic_id="another")
    clock.age(6)
    repair.repair()
    assert ranges(sent(broker)) == Counter(orders)


@pytest.mark.parametrize("which", ["another topic", "another cluster", "a topic that is gone", "what is done"])
def test_more_than_a_pass_looks_at_of_what_nobody_here_can_work_on_keeps_nothing_waiting(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair, which: str
) -> None:
    other = {"another topic": {"topic": "another"}, "another cluster": {"cluster_id": "another"}}.get(which, {})
    planned(store, 1, topic_id="another", **other)

    def fill() -> None:
        row = Batch.select().dicts().get()
        rows = [{**row, "id": row["id"] + n, "first": n, "next": n + 1} for n in range(1, 1_001)]
        store.insert(Batch, [[one[field.name] for field in Batch._meta.sorted_fields] for one in rows])
        if which == "a topic that is gone":
            Stream.update(state="gone").execute()
        if which == "what is done":
            Batch.update(state="done").execute()

    store.write(fill)
    orders = planned(store, 2)
    clock.age(6)
    repair.repair()
    assert ranges(sent(broker)) == Counter(orders)


@pytest.mark.real_only
def test_a_repair_waits_for_a_database_that_refuses(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair
) -> None:
    orders = planned(store, 2)
    clock.age(6)
    for code in (1114, 4444):
        with refusing(store, "UPDATE ON batch", code):
            assert repair.step() is False
    clock.age(66)
    repair.step()
    assert ranges(sent(broker)) == Counter(orders)


def test_a_repair_waits_for_redis_and_goes_on(
    store: Store, broker: RedisBroker, clock: Clock, repair: Repair, backend: Backend
) -> None:
    orders = planned(store, 2)
    clock.age(6)
    backend.servers["redis"].kill()
    assert repair.step() is False
    backend.servers["redis"].start()
    clock.age(6)
    for _ in range(3):
        repair.step()
    assert ranges(sent(broker)).keys() == set(orders)
