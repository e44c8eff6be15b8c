"""The poll loop on real brokers: each record is planned once, whatever becomes of the group, the queue or the store."""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.coordinator.base import MemberState
from structlog.testing import capture_logs

from cli.child import wait_until
from consumer import main
from consumer.gathered import FILLING, Gathered
from consumer.loop import PATIENCE, Assignment, PollLoop
from consumer.metrics import Metrics
from consumer.pulse import Pulse
from pipeline import batch, ledger, messages, schema
from pipeline.batch import digest
from pipeline.kafka import RangeReader
from pipeline.models import Batch, Progress, Stream
from pipeline.settings import Settings
from pipeline.storage import Store
from pipeline.topic import TopicAdmin
from tests.conftest import Launch
from tests.records import Rec, counted, line, upload
from tests.servers import Backend
from tests.stores import refusing
from tests.topics import Foreign, Topic

GROUP_SECONDS = 40.0

# Joining a group on Tansu takes half a session: what is the loop's own and not the broker's is tested on Kafka alone.


class Consumer:
    """The poll loop of one consumer process, a step at a time on this thread."""

    def __init__(self, topic: Topic, store: Store, **overrides: Any) -> None:
        given = topic.settings.model_copy(update=overrides)
        self.broker = messages.build_broker(given.redis_url)
        self.assignment = Assignment()
        self.client = main._consumer(given, self.assignment)
        self.admin, self.reader = TopicAdmin(given), RangeReader(given)
        self.metrics = Metrics()
        self.loop = PollLoop(
            given, store, self.broker, self.client, self.assignment, self.admin, self.reader, self.metrics, Pulse()
        )

    def until(self, done: Callable[[], bool], seconds: float = GROUP_SECONDS) -> None:
        """Steps until it is done."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline
            self.loop.step()

    def run(self, seconds: float) -> None:
        """Steps for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.loop.step()

    def close(self) -> None:
        """Leaves the group, and ends all clients."""
        self.client.close(autocommit=False, timeout_ms=2_000)
        self.admin.close()
        self.reader.close()
        self.broker.close()


@contextlib.contextmanager
def consuming(topic: Topic, store: Store, **overrides: Any) -> Iterator[Consumer]:
    made = Consumer(topic, store, **overrides)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def plans(topic: Topic) -> Iterator[Store]:
    """The database that the topic's settings name, with its tables."""
    schema.migrate(topic.settings.database_url)
    store = Store.open(topic.settings.database_url)
    yield store
    store.disconnect()


def planned(store: Store) -> int:
    """How many lines are planned."""
    return ledger.read(store).received


def ranges(store: Store) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Every batch's range, by stream and partition, in order; each must begin where the one before it ended."""
    columns = (Batch.stream, Batch.part, Batch.first, Batch.next)
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for stream, part, first, after in store.read(lambda: list(Batch.select(*columns).order_by(*columns).tuples())):
        found.setdefault((stream, part), []).append((first, after))
    for of_part in found.values():
        assert all(one[1] == other[0] for one, other in itertools.pairwise(of_part))
    return found


def covered(store: Store) -> dict[int, tuple[int, int]]:
    """From where to where each partition of the only stream is planned."""
    found = ranges(store)
    assert len({stream for stream, _ in found}) == 1
    return {part: (of_part[0][0], of_part[-1][1]) for (_, part), of_part in found.items()}


def write(topic: Topic, count: int, lines: int = 3) -> int:
    """Writes so many uploads, over three partitions; returns their lines."""
    for n in range(count):
        topic.upload([line(path=f"/{n}")] * lines, part=n % 3)
    return count * lines


def test_every_record_is_planned_once_and_sent_to_the_workers(topic: Topic, plans: Store) -> None:
    expected = write(topic, 9)
    topic.produce([b"not json", None, b"[]", b'["a","b"]'], part=1)
    with consuming(topic, plans) as consumer:
        consumer.until(lambda: planned(plans) >= expected + 1 + 2)
        assert covered(plans) == {0: (0, 3), 1: (0, 7), 2: (0, 3)}
        assert planned(plans) == expected + 3
        batches = plans.read(lambda: Batch.select().count())
        assert messages.waiting(consumer.broker, messages.INGEST) == batches


def test_what_was_polled_while_the_assignment_changed_is_dropped() -> None:
    assignment = Assignment()
    assignment.changed = False

    def poll(**_: object) -> dict[TopicPartition, list[Rec]]:
        assignment.on_partitions_assigned([])
        return {TopicPartition("raw-logs", 0): [upload(0, [line()])]}

    client: Any = SimpleNamespace(poll=poll, group_metadata=lambda: SimpleNamespace(state=MemberState.STABLE))
    nobody: Any = None
    loop = PollLoop(Settings(), nobody, nobody, client, assignment, nobody, nobody, Metrics(), Pulse())
    loop._gathered, loop._sought = {0: Gathered(0)}, {0}
    loop._poll()
    assert loop._gathered[0].position == 0


def test_idle_workers_get_what_there_is_unless_it_comes_so_fast_that_a_batch_fills() -> None:
    now, planned = 100.0, []
    nobody: Any = None
    asked: Any = SimpleNamespace(identity=lambda: "the same")
    loop: Any = PollLoop(
        Settings(), nobody, nobody, nobody, Assignment(), asked, nobody, Metrics(), Pulse(), clock=lambda: now
    )
    loop._plan, loop._gathered = SimpleNamespace(identity="the same"), {0: Gathered(0)}
    loop._backlog = lambda: (0, 0)

    def plan_one(_plan: object, part: int) -> None:
        records, lines = loop._gathered[part].head()
        loop._gathered[part].planned(len(records))
        planned.append(lines)

    loop._plan_one = plan_one
    now += 10.0  # nothing came for long
    loop._gathered[0].take([counted(0, 30_000)], now, sought=True)
    loop._plan_due()
    assert planned == [30_000]
    now += 0.1
    loop._gathered[0].take([counted(1, 10_000)], now, sought=False)
    loop._plan_due()
    assert planned == [30_000]
    now += FILLING
    loop._plan_due()
    assert planned == [30_000, 10_000]


@pytest.mark.real_only
def test_resetting_the_group_s_offsets_to_the_beginning_and_to_the_end_changes_nothing(
    topic: Topic, plans: Store
) -> None:
    expected = write(topic, 6)
    with consuming(topic, plans) as consumer:
        consumer.until(lambda: planned(plans) == expected)
    for reset in (0, 4):
        expected += write(topic, 3)
        topic.commit(dict.fromkeys(range(3), reset))
        with consuming(topic, plans) as consumer:
            consumer.until(lambda: planned(plans) == expected)  # noqa: B023 (called at once)
            consumer.run(0.3)
    assert planned(plans) == expected
    assert covered(plans) == dict.fromkeys(range(3), (0, 4))


@pytest.mark.real_only
def test_what_is_done_is_committed_as_advice(topic: Topic, plans: Store) -> None:
    expected = write(topic, 6)
    with consuming(topic, plans) as consumer:
        consumer.until(lambda: planned(plans) == expected)
        plans.write(lambda: Batch.update(state="done", stored=Batch.lines).where(Batch.part == 1).execute())
        consumer.run(2.5)
    assert (topic.committed(0), topic.committed(1)) == (0, 2)


@pytest.mark.real_only
def test_a_partition_with_too_much_pending_rests_until_half_of_it_is_done(topic: Topic, plans: Store) -> None:
    def pending() -> int:
        return plans.read(lambda: Batch.select().where(Batch.state == "pending").count())

    def finish(count: int) -> None:
        ids = [row.id for row in plans.read(lambda: list(Batch.select().where(Batch.state == "pending").limit(count)))]
        plans.write(lambda: Batch.update(state="done", stored=Batch.lines).where(Batch.id << ids).execute())

    with consuming(topic, plans, max_pending=4) as consumer:
        for count in range(1, 5):
            topic.upload([line()])
            consumer.until(lambda: pending() == count)  # noqa: B023 (called at once)
        for _ in range(3):
            topic.upload([line()])
            consumer.run(0.5)
        assert pending() == 4
        consumer.run(1.2)
        assert {one.partition for one in consumer.client.paused()} == {0}
        finish(1)
        consumer.run(1.5)
        assert {one.partition for one in consumer.client.paused()} == {0}
        finish(pending() - 2)
        consumer.until(lambda: planned(plans) == 7)
    assert covered(plans) == {0: (0, 7)}


@pytest.mark.real_only
def test_without_redis_only_full_batches_are_planned(
    topic: Topic, plans: Store, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with consuming(topic, plans) as consumer:
        consumer.until(lambda: bool(consumer.client.assignment()))
        backend.servers["redis"].kill()
        few = write(topic, 6)
        consumer.run(2 * PATIENCE)
        assert planned(plans) == 0
        with monkeypatch.context() as smaller:
            smaller.setattr(batch, "LINES", 1)
            consumer.until(lambda: planned(plans) == few)
        few += write(topic, 3)
        consumer.run(2 * PATIENCE)
        assert planned(plans) < few
        assert math.isnan(consumer.metrics.waiting._value.get())
        backend.servers["redis"].start()
        expected = few
        consumer.until(lambda: planned(plans) == expected)
        consumer.until(lambda: consumer.metrics.waiting._value.get() > 0)
    assert covered(plans) == dict.fromkeys(range(3), (0, 3))


@pytest.mark.real_only
def test_a_database_that_is_away_is_waited_for(topic: Topic, plans: Store, backend: Backend) -> None:
    with consuming(topic, plans) as consumer:
        expected = write(topic, 6)
        consumer.until(lambda: planned(plans) == expected)
        backend.servers["database"].kill()
        write(topic, 3)
        assert consumer.loop.step() in (True, False)
        consumer.run(1.0)
        backend.servers["database"].start()
        consumer.until(lambda: planned(plans) == expected + 9)
    assert covered(plans) == dict.fromkeys(range(3), (0, 3))


@pytest.mark.real_only
def test_a_database_that_refuses_is_waited_for_and_said_once(topic: Topic, plans: Store) -> None:
    """An error of a full disk, one of a table that is not there, and one that nobody foresaw."""
    with consuming(topic, plans) as consumer:
        expected = write(topic, 3)
        consumer.until(lambda: planned(plans) == expected)
        for code in (1114, 1146, 4444):
            with refusing(plans, "INSERT ON batch", code), capture_logs() as logs:
                expected += write(topic, 3)
                consumer.until(lambda: any(one["log_level"] != "info" for one in logs))
                consumer.run(2.5)
                assert planned(plans) == expected - 9
            (said,) = [one for one in logs if one["log_level"] != "info"]
            assert said["kind"] == ("OperationalError" if code == 4444 else "Refused")
            consumer.until(lambda: planned(plans) == expected)  # noqa: B023 (called at once)
    assert covered(plans) == dict.fromkeys(range(3), (0, 4))


@pytest.mark.real_only
def test_somebody_else_who_planned_on_is_followed_and_nothing_comes_twice(topic: Topic, plans: Store) -> None:
    with consuming(topic, plans) as frozen:
        expected = write(topic, 3)
        frozen.until(lambda: planned(plans) == expected)
        expected += write(topic, 6)
        # What a frozen consumer has in hand when another takes its partitions, plans on, and dies.
        plan, generations = frozen.loop._plan, frozen.loop._generations
        assert plan is not None
        for part in range(3):
            records = frozen.reader.read(part, 1, 3)
            plan.add(part, generations[part], 1, records, 6)
        expected += write(topic, 3)
        frozen.until(lambda: planned(plans) == expected)
        frozen.run(0.5)
    assert planned(plans) == expected
    assert covered(plans) == dict.fromkeys(range(3), (0, 4))


@pytest.mark.real_only
def test_a_database_that_was_restored_is_followed_though_nothing_new_comes(topic: Topic, plans: Store) -> None:
    with consuming(topic, plans) as consumer:
        expected = write(topic, 6)
        consumer.until(lambda: planned(plans) == expected)

        def restore() -> None:
            Batch.delete().where(Batch.first > 0).execute()
            Batch.update(next=1, lines=3).execute()
            Progress.update(next_plan=1).execute()

        plans.write(restore)
        consumer.until(lambda: planned(plans) == expected)
    assert covered(plans) == dict.fromkeys(range(3), (0, 2))


@pytest.mark.real_only
def test_a_topic_made_again_under_a_live_consumer_is_planned_from_its_beginning(topic: Topic, plans: Store) -> None:
    with consuming(topic, plans) as consumer:
        expected = write(topic, 6)
        consumer.until(lambda: planned(plans) == expected)
        topic.make_again()
        expected += write(topic, 9)
        consumer.until(lambda: planned(plans) == expected, seconds=60)
    streams = plans.read(lambda: [row.id for row in Stream.select().order_by(Stream.id)])
    assert len(streams) == 2
    ends = {part: of_part[-1][1] for (stream, part), of_part in ranges(plans).items() if stream == streams[1]}
    assert ends == dict.fromkeys(range(3), 3)


@pytest.mark.real_only
def test_whoever_has_no_partition_does_not_miss_the_topic_that_he_had_some_of(topic: Topic, plans: Store) -> None:
    with consuming(topic, plans) as consumer:
        expected = write(topic, 3)
        consumer.until(lambda: planned(plans) == expected)
        consumer.client.unsubscribe()
        consumer.assignment.changed = True
        topic.make_again()
        with capture_logs() as said:
            consumer.run(3)
    assert said == []


@pytest.mark.real_only
def test_retention_that_passes_a_live_consumer_leaves_a_lost_range(topic: Topic, plans: Store) -> None:
    with consuming(topic, plans) as consumer:
        expected = write(topic, 3)
        consumer.until(lambda: planned(plans) == expected)
    write(topic, 9)
    topic.delete_records(0, before=3)
    with consuming(topic, plans) as consumer:
        consumer.until(lambda: planned(plans) == expected + 9 * 3 - 2 * 3)
    assert covered(plans) == dict.fromkeys(range(3), (0, 4))
    lost = plans.read(
        lambda: list(Batch.select(Batch.part, Batch.first, Batch.next).where(Batch.state == "lost").tuples())
    )
    assert lost == [(0, 1, 3)]


@pytest.mark.real_only
def test_two_consumers_share_the_partitions_and_a_frozen_one_that_wakes_plans_nothing_twice(
    topic: Topic, plans: Store, launch: Launch
) -> None:
    environment = topic.environment
    ports = (environment["CONSUMER_ADMIN_PORT"], environment["WORKER_ADMIN_PORT"])
    children = [launch("consumer", environment | {"CONSUMER_ADMIN_PORT": port}) for port in ports]
    expected = write(topic, 12)
    assert wait_until(lambda: planned(plans) == expected, GROUP_SECONDS)
    assert wait_until(
        lambda: all("assigned" in child.log.read_text() for child in children if child.log), GROUP_SECONDS
    )
    children[0].freeze()
    expected += write(topic, 12)
    # The other is the only member once the session of this one is over.
    assert wait_until(lambda: planned(plans) == expected, GROUP_SECONDS)
    children[0].thaw()
    expected += write(topic, 12)
    assert wait_until(lambda: planned(plans) == expected, GROUP_SECONDS)
    assert planned(plans) == expected
    assert covered(plans) == dict.fromkeys(range(3), (0, 12))
    assert [child.stop(10) for child in children] == [0, 0]


def test_a_record_whose_header_has_a_name_that_is_not_utf_8_is_a_record_as_any_other(
    topic: Topic, plans: Store
) -> None:
    topic.produce([b'["a"]'], headers=((Foreign(b"\xff\xfe"), b"1"),))
    expected = 1 + write(topic, 6)
    with consuming(topic, plans) as consumer:
        consumer.until(lambda: planned(plans) == expected)
        assert covered(plans) == {0: (0, 3), 1: (0, 2), 2: (0, 2)}
        # A worker that reads it finds what was planned.
        batches = plans.read(lambda: list(Batch.select(Batch.first, Batch.next, Batch.digest).where(Batch.part == 0)))
        assert all(digest(consumer.reader.read(0, one.first, one.next)) == one.digest for one in batches)


@pytest.mark.real_only
def test_what_a_disk_has_damaged_is_lost_and_what_stands_before_and_after_it_is_planned(
    topic: Topic, plans: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    for n in range(5):
        topic.upload([line(path=f"/record/{n}")] * 2)
    topic.damage(b"/record/0")
    topic.damage(b"/record/3")
    expected = 3 * 2 + write(topic, 3)
    with consuming(topic, plans) as consumer:
        consumer.until(lambda: planned(plans) == expected)
        consumer.run(0.5)
        assert consumer.metrics.uncounted._value.get() == 2
    with consuming(topic, plans) as consumer:
        consumer.until(lambda: planned(plans) == expected)
        expected += write(topic, 3)
        consumer.until(lambda: planned(plans) == expected)
    assert covered(plans) == {0: (0, 7), 1: (0, 2), 2: (0, 2)}
    lost = Batch.select(Batch.part, Batch.first, Batch.next, Batch.lines).where(Batch.state == "lost")
    assert sorted(plans.read(lambda: list(lost.tuples()))) == [(0, 0, 1, 0), (0, 3, 4, 0)]
    assert plans.read(lambda: Progress.select().where(Progress.generation > 0).count()) == 0
    assert capfd.readouterr().out.count("lost: unreadable") == 2
