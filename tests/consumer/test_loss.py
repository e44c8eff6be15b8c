"""What the log no longer holds is lost: counted, and said once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest
from structlog.testing import capture_logs

from consumer.loss import LASTS_AFTER, LOOKS, Loss
from consumer.metrics import Metrics
from consumer.plan import Plan
from consumer.truncation import verified
from pipeline import batch, ledger
from pipeline.errors import Unavailable
from pipeline.kafka import RangeReader
from pipeline.models import Batch, Progress, Stream
from pipeline.storage import Store
from pipeline.topic import Identity, TopicAdmin
from tests.records import line
from tests.stores import refusing
from tests.topics import Topic


class Keeper:
    """A loss pass over a real topic, with the planner's own clients."""

    def __init__(self, store: Store, topic: Topic) -> None:
        self.store = store
        self.admin, self.reader = TopicAdmin(topic.settings), RangeReader(topic.settings)
        self.topic = topic.name
        self.metrics = Metrics()
        self.now = 1.0
        self.answer: Callable[[], Identity | None] = self.admin.identity
        self.loss = self.keeping(self.admin.cluster_id)

    def keeping(self, cluster_id: str) -> Loss:
        """A loss pass that believes to speak to that cluster."""
        return Loss(
            self.store,
            lambda: self.answer(),
            self.reader.beginnings,
            cluster_id,
            self.topic,
            self.metrics,
            clock=lambda: self.now,
        )

    def plan(self) -> Plan:
        identity = self.admin.identity()
        assert identity is not None
        return Plan.of(self.store, identity)

    def planned(self, plan: Plan, offsets: list[int], part: int = 0) -> None:
        """Plans the records at these offsets as one batch, from where the plan stands."""
        first = verified(plan, self.reader, part, self.reader.beginnings([part])[part], self.metrics)
        records = self.reader.read(part, offsets[0], offsets[-1] + 1)
        plan.add(part, first.generation, first.next_plan, records, sum(map(batch.lines, records)))

    def looks(self, seconds: float) -> None:
        """Looks again and again for so many seconds."""
        for _ in range(LOOKS - 1):
            self.loss.look()
            self.now += seconds / (LOOKS - 1)
        self.loss.look()

    def counted(self) -> float:
        """The lines that were counted as lost."""
        return float(self.metrics.lost._value.get())

    def uncounted(self) -> float:
        """The offsets that were counted as lost with nobody knows how many lines."""
        return float(self.metrics.uncounted._value.get())

    def states(self) -> list[tuple[int, int, int, int, str]]:
        columns = (Batch.generation, Batch.first, Batch.next, Batch.lines, Batch.state)
        return self.store.read(lambda: list(Batch.select(*columns).order_by(Batch.id).tuples()))


@pytest.fixture
def keeper(store: Store, topic: Topic) -> Iterator[Keeper]:
    made = Keeper(store, topic)
    yield made
    made.admin.close()
    made.reader.close()


def unseen() -> None:
    """What a broker says that does not know the topic."""
    return


def away() -> Identity | None:
    """No answer."""
    raise Unavailable("kafka", "away")


def uploads(topic: Topic, count: int, status: int = 404) -> list[int]:
    return [topic.upload([line(status, path=f"/{n}")] * 3) for n in range(count)]


def test_while_everything_is_there_nothing_is_lost(keeper: Keeper, topic: Topic) -> None:
    plan = keeper.plan()
    keeper.planned(plan, uploads(topic, 3))
    keeper.loss.look()
    assert keeper.states() == [(0, 0, 3, 9, "pending")]
    assert verified(plan, keeper.reader, 0, 0, keeper.metrics).next_plan == 3
    assert keeper.counted() == 0


@pytest.mark.real_only
def test_a_pending_batch_that_retention_passed_is_lost_with_its_lines(keeper: Keeper, topic: Topic) -> None:
    plan = keeper.plan()
    offsets = uploads(topic, 6)
    for at in (0, 2, 4):
        keeper.planned(plan, offsets[at : at + 2])
    topic.delete_records(0, before=3)
    for _ in range(2):
        keeper.loss.look()
    assert [row[-1] for row in keeper.states()] == ["lost", "lost", "pending"]
    assert keeper.counted() == 12
    found = ledger.read(keeper.store)
    assert (found.lost, found.pending, found.balanced) == (12, 6, True)


@pytest.mark.real_only
def test_what_retention_took_here_is_not_lost_of_another_cluster_s_topic(keeper: Keeper, topic: Topic) -> None:
    mine, offsets = keeper.plan(), uploads(topic, 3)
    other = Plan.of(keeper.store, msgspec.structs.replace(mine.identity, cluster_id="another"))
    other.planned(0, 0)
    other.add(0, 0, 0, keeper.reader.read(0, 0, 3), 9)
    keeper.planned(mine, offsets)
    topic.delete_records(0, before=3)
    keeper.loss.look()
    states = keeper.store.read(lambda: dict(Batch.select(Batch.stream, Batch.state).tuples()))
    assert states == {mine.stream: "lost", other.stream: "pending"}


@pytest.mark.real_only
def test_what_is_done_is_not_lost_by_retention(keeper: Keeper, topic: Topic) -> None:
    keeper.planned(keeper.plan(), uploads(topic, 3))
    keeper.store.write(lambda: Batch.update(state="done", stored=9).execute())
    topic.delete_records(0, before=3)
    keeper.loss.look()
    assert keeper.states()[0][-1] == "done"


@pytest.mark.real_only
def test_what_retention_took_before_it_was_planned_is_written_off(keeper: Keeper, topic: Topic) -> None:
    plan = keeper.plan()
    keeper.planned(plan, uploads(topic, 2))
    uploads(topic, 5)
    topic.delete_records(0, before=6)
    assert verified(plan, keeper.reader, 0, 6, keeper.metrics).next_plan == 6
    assert keeper.states() == [(0, 0, 2, 6, "pending"), (0, 2, 6, 0, "lost")]
    assert (keeper.counted(), keeper.uncounted()) == (0, 4)
    assert [one.records for one in ledger.read(keeper.store).lost_uncounted] == [4]
    assert verified(plan, keeper.reader, 0, 6, keeper.metrics).next_plan == 6
    assert len(keeper.states()) == 2


def test_a_topic_made_again_ends_the_old_stream_and_all_that_waited_in_it(keeper: Keeper, topic: Topic) -> None:
    plan = keeper.plan()
    keeper.planned(plan, uploads(topic, 3))
    plan.note_ends({0: 10})
    topic.make_again()
    with capture_logs() as said:
        keeper.loss.look()
    assert [(one["log_level"], one["lines"], one["records_not_planned"]) for one in said] == [("error", 9, 7)]
    assert keeper.states() == [(0, 0, 3, 9, "lost"), (0, 3, 10, 0, "lost")]
    assert (keeper.counted(), keeper.uncounted()) == (9, 7)
    assert keeper.store.read(lambda: [row.state for row in Stream.select()]) == ["gone"]
    found = ledger.read(keeper.store)
    assert (found.lost, found.not_planned, found.balanced) == (9, (), True)
    again = keeper.plan()
    assert again.stream != plan.stream
    uploads(topic, 1)
    keeper.planned(again, [0])
    keeper.loss.look()
    assert keeper.states()[-1][-1] == "pending"
    assert keeper.counted() == 9


@pytest.mark.real_only
def test_a_topic_made_again_of_which_nothing_waited_is_no_error(keeper: Keeper, topic: Topic) -> None:
    """Each start of `tally up`, whose Kafka forgets, has one."""
    keeper.planned(keeper.plan(), uploads(topic, 3))
    keeper.store.write(lambda: Batch.update(state="done", stored=9).execute())
    topic.make_again()
    with capture_logs() as said:
        keeper.loss.look()
    assert [one["log_level"] for one in said] == ["info"]
    assert keeper.store.read(lambda: [row.state for row in Stream.select()]) == ["gone"]
    assert keeper.counted() == 0


@pytest.mark.real_only  # Tansu makes a topic anew for whoever asks about it, also when told not to.
def test_a_topic_that_is_gone_is_given_a_minute_to_come_back(keeper: Keeper, topic: Topic) -> None:
    keeper.planned(keeper.plan(), uploads(topic, 3))
    topic.delete()
    keeper.looks(LASTS_AFTER - 1)
    assert keeper.states()[0][-1] == "pending"
    keeper.now += 2
    keeper.loss.look()
    assert keeper.states()[0][-1] == "lost"
    topic.create()


def test_a_topic_that_is_unseen_before_and_after_an_outage_is_not_gone(keeper: Keeper, topic: Topic) -> None:
    keeper.planned(keeper.plan(), uploads(topic, 3))
    keeper.answer = unseen
    keeper.loss.step()
    keeper.answer = away
    for _ in range(LOOKS):
        keeper.now += LASTS_AFTER / LOOKS
        keeper.loss.step()
    keeper.answer = unseen
    keeper.loss.step()
    # Nor by one look more, however long after: a process that was frozen has not looked.
    keeper.now += 2 * LASTS_AFTER
    keeper.loss.step()
    assert keeper.states()[0][-1] == "pending"
    assert keeper.counted() == 0


def test_a_topic_that_was_given_up_and_is_there_goes_on_after_a_minute(keeper: Keeper, topic: Topic) -> None:
    plan = keeper.plan()
    keeper.planned(plan, uploads(topic, 3))
    plan.note_ends({0: 5})
    keeper.answer = unseen
    keeper.looks(LASTS_AFTER + 1)
    assert keeper.states() == [(0, 0, 3, 9, "lost"), (0, 3, 5, 0, "lost")]
    keeper.answer = keeper.admin.identity
    keeper.looks(LASTS_AFTER - 1)
    with pytest.raises(Unavailable, match="was replaced"):
        keeper.plan()
    keeper.now += 2
    keeper.loss.look()
    again = keeper.plan()
    assert again.stream == plan.stream
    uploads(topic, 4)
    keeper.planned(again, [5, 6])
    keeper.looks(LASTS_AFTER + 1)
    assert keeper.states()[2:] == [(0, 5, 7, 6, "pending")]
    assert keeper.counted() == 9
    assert ledger.read(keeper.store).balanced


@pytest.mark.real_only  # Tansu makes a topic anew for whoever asks about it, also when told not to.
def test_a_broker_that_knows_a_replaced_topic_still_ends_nothing_of_the_one_that_is_there(
    keeper: Keeper, topic: Topic
) -> None:
    old = keeper.admin.identity()
    keeper.plan()
    topic.make_again()
    keeper.loss.look()
    keeper.planned(keeper.plan(), uploads(topic, 3))
    keeper.answer = lambda: old
    keeper.looks(LASTS_AFTER - 1)
    keeper.answer = keeper.admin.identity
    keeper.looks(LASTS_AFTER + 1)
    assert [state for *_, state in keeper.states()] == ["pending"]
    assert keeper.store.read(lambda: [row.state for row in Stream.select().order_by(Stream.id)]) == ["gone", "live"]


@pytest.mark.real_only
def test_losses_are_written_off_once_a_database_that_refuses_goes_on(keeper: Keeper, topic: Topic) -> None:
    keeper.planned(keeper.plan(), uploads(topic, 3))
    topic.make_again()
    for code in (1114, 4444):
        with refusing(keeper.store, "UPDATE ON batch", code):
            assert keeper.loss.step() is False
    assert keeper.counted() == 0
    keeper.loss.step()
    assert (keeper.states()[0][-1], keeper.counted()) == ("lost", 9)


@pytest.mark.real_only  # Tansu makes a topic anew for whoever asks about it, also when told not to.
def test_another_cluster_that_does_not_know_the_topic_ends_nothing(keeper: Keeper, topic: Topic) -> None:
    """A consumer that was pointed at the wrong brokers for an hour must not write off the right ones' batches."""
    keeper.planned(keeper.plan(), uploads(topic, 3))
    topic.delete()
    elsewhere = keeper.keeping("another cluster")
    for _ in range(LOOKS):
        elsewhere.look()
        keeper.now += 3600
    elsewhere.look()
    assert keeper.states()[0][-1] == "pending"
    assert keeper.counted() == 0
    topic.create()


def test_a_batch_that_is_planned_after_its_topic_was_made_again_is_lost_too(keeper: Keeper, topic: Topic) -> None:
    """Its consumer froze between its look at the topic and its plan."""
    plan, offsets = keeper.plan(), uploads(topic, 3)
    first = plan.planned(0, offsets[0])
    records = keeper.reader.read(0, offsets[0], offsets[-1] + 1)
    topic.make_again()
    keeper.loss.look()
    plan.add(0, first.generation, first.next_plan, records, sum(map(batch.lines, records)))
    keeper.loss.look()
    assert [state for *_, state in keeper.states()] == ["lost"]
    assert keeper.counted() == sum(map(batch.lines, records))


def test_a_log_that_was_cut_and_grew_again_goes_on_as_another_generation(keeper: Keeper, topic: Topic) -> None:
    plan = keeper.plan()
    offsets = uploads(topic, 4)
    keeper.planned(plan, offsets)
    # What a cut leaves: at the mark stands a record that is not the one that was planned.
    keeper.store.write(lambda: Progress.update(mark_crc=1).execute())
    found = verified(plan, keeper.reader, 0, 0, keeper.metrics)
    assert (found.generation, found.next_plan, found.mark) == (1, 0, None)
    assert keeper.states() == [(0, 0, 4, 12, "lost")]
    assert (keeper.counted(), keeper.metrics.cuts._value.get()) == (12, 1)
    keeper.planned(plan, offsets)
    assert keeper.states()[-1] == (1, 0, 4, 12, "pending")
    assert verified(plan, keeper.reader, 0, 0, keeper.metrics).generation == 1


@pytest.mark.parametrize("mark", [4, 9])
def test_a_log_that_ends_at_its_mark_or_before_it_goes_on_as_another_generation(
    keeper: Keeper, topic: Topic, mark: int
) -> None:
    plan = keeper.plan()
    keeper.planned(plan, uploads(topic, 4))
    keeper.store.write(lambda: Progress.update(mark_offset=mark, next_plan=mark + 1).execute())
    found = verified(plan, keeper.reader, 0, 0, keeper.metrics)
    assert (found.generation, found.next_plan) == (1, 0)
