"""The poll loop: reads the topic, plans what is due, hands it to the workers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import structlog
from dramatiq.brokers.redis import RedisBroker
from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.base import MemberState
from kafka.errors import LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError

from consumer.gathered import Gathered, is_filling, oldest, paused, waited
from consumer.metrics import Metrics
from consumer.outage import WAITED_FOR, Outage
from consumer.plan import Plan
from consumer.pulse import Pulse
from consumer.truncation import verified
from pipeline import messages
from pipeline.checkpoint import Checkpoint, nowhere
from pipeline.errors import Fenced, Unavailable, Unreadable
from pipeline.kafka import RangeReader
from pipeline.settings import Settings
from pipeline.storage import Store
from pipeline.topic import TopicAdmin

log = structlog.get_logger(__name__)

# Seconds after which a record is planned whatever the workers do, and where they have begun all that they were sent.
# Before that, only where they are idle and no batch is filling (`is_filling`): a batch has a fixed cost, and what comes
# while they work makes a larger one.
PATIENCE, PATIENCE_BEGUN = 1.0, 0.1
POLL_MS = 200
# Between two questions whether Redis is back, each of which may take as long.
PROBE_SECONDS = 5.0
# While records wait, Kafka and the queue are looked at again after a share of the seconds that the oldest has waited: a
# look costs a millisecond of processor time. Without a pause Kafka was asked 200 times a second for a few records each.
# While a batch fills, only Kafka is, at a fixed pace: a look brings 256 KiB of a partition at the most.
LOOK_SHARE, LOOK_LEAST, LOOK_MOST, LOOK_FILLING = 0.25, 0.005, 0.05, 0.025


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python ships no types
    """Notes that the assignment changed; runs on the client's own thread, where nothing else is allowed."""

    def __init__(self) -> None:
        self.changed = True

    def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002 (the listener's signature)
        self.changed = True

    def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 (the listener's signature)
        self.changed = True


class PollLoop:
    """One poll a step, on one thread. What it knows of the plan it has from MySQL, at each new assignment."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        broker: RedisBroker,
        consumer: KafkaConsumer,
        assignment: Assignment,
        admin: TopicAdmin,
        reader: RangeReader,
        metrics: Metrics,
        pulse: Pulse,
        clock: Callable[[], float] = time.monotonic,
        checkpoint: Checkpoint = nowhere,
    ) -> None:
        self._settings = settings
        self._store = store
        self._broker = broker
        self._consumer = consumer
        self._assignment = assignment
        self._admin = admin
        self._reader = reader
        self._metrics = metrics
        self._pulse = pulse
        self._clock = clock
        self._checkpoint = checkpoint
        self._plan: Plan | None = None
        self._generations: dict[int, int] = {}
        self._gathered: dict[int, Gathered] = {}
        self._sought: set[int] = set()
        self._doubted: dict[int, int] = {}  # where a partition could not be read, once
        self._pending: dict[int, int] = {}
        self._can_dispatch = True  # whether Redis answered, and took a message, when it was asked last
        self._probe_at = 0.0
        self._learnt_at = -1.0
        self._planned_at = clock()
        self._outage = Outage("starting over from the plan", clock)

    def step(self) -> bool:
        """Polls, plans what is due, dispatches it. A server that is away or refuses is said, and waited for."""
        self._pulse.beat()
        try:
            self._poll()
            self._pulse.beat()
            if self._assignment.changed:
                self._reload()
            self._plan_due()
            self._learn()
        except WAITED_FOR as error:
            self._outage.tell(error)
            self._assignment.changed = True
            return False
        return True

    def _poll(self) -> None:
        _keep_joining(self._consumer)
        pause = self._pause()
        if pause is not None:
            time.sleep(pause)
        try:
            polled = self._consumer.poll(timeout_ms=POLL_MS if pause is None else 0)
        except (NoOffsetForPartitionError, OffsetOutOfRangeError, LogTruncationError) as error:
            log.info("no position to read on from", error=str(error))
            self._assignment.changed = True
            return
        except Unreadable as error:
            self._doubt(error)
            return
        self._checkpoint("consumer.polled")
        if self._assignment.changed:
            return  # Whatever came was asked for before we sought.
        now = self._clock()
        for partition, records in polled.items():
            part = partition.partition
            if not self._gathered[part].take(records, now, part in self._sought):
                log.warning("a hole in what was polled", part=part, at=self._gathered[part].position)
                self._seek(part)
                continue
            self._sought.discard(part)

    def _doubt(self, error: Unreadable) -> None:
        """Reads again what could not be read, for it may be the network's fault; the second time it is lost."""
        gathered = self._gathered.get(error.part)
        if self._assignment.changed or gathered is None or self._plan is None:
            return
        if self._doubted.get(error.part) != error.first:
            log.warning("trying again", error=str(error))
            self._doubted[error.part] = error.first
            self._seek(error.part)
            return
        self._require_ours(self._plan)
        while gathered.since is not None:
            self._plan_one(self._plan, error.part)
        # Damaged as it is, what it says of its own end may be anything.
        known = self._consumer.highwater(self._partition(error.part)) or error.next
        after = max(min(error.next, known), error.first + 1)
        self._plan.lose(error.part, self._generations[error.part], gathered.next_plan, after)
        log.error("lost: unreadable", part=error.part, first=gathered.next_plan, next=after, error=str(error))
        self._metrics.uncounted.inc(after - gathered.next_plan)
        self._gathered[error.part] = Gathered(after)
        self._seek(error.part)

    def _reload(self) -> None:
        """Takes the plan's word for where each assigned partition stands, and seeks there."""
        self._assignment.changed = False
        self._plan, self._gathered, self._sought, self._doubted = None, {}, set(), {}
        parts = sorted(partition.partition for partition in self._consumer.assignment())
        if not parts:
            return
        identity = self._admin.identity()
        if identity is None:
            raise Unavailable("kafka", f"there is no topic {self._settings.kafka_topic}; `tally migrate` makes it")
        self._plan = Plan.of(self._store, identity)
        for part, beginning in self._reader.beginnings(parts).items():
            self._pulse.beat()
            planned = verified(self._plan, self._reader, part, beginning, self._metrics)
            self._generations[part] = planned.generation
            self._gathered[part] = Gathered(planned.next_plan)
            self._seek(part)
        self._learnt_at = -1.0
        log.info("assigned", partitions={part: one.next_plan for part, one in self._gathered.items()})

    def _seek(self, part: int) -> None:
        partition = self._partition(part)
        self._consumer.seek(partition, self._gathered[part].position)
        # The client keeps where the log ended before: of one that was cut, that is an end which may never come again.
        self._consumer._subscription.assignment[partition].highwater = None
        self._sought.add(part)

    def _plan_due(self) -> None:
        now = self._clock()
        # While nobody can be told of a batch, only full ones: hundreds of small ones would wait for the workers.
        patience = PATIENCE if self._can_dispatch else math.inf
        due = [part for part, one in self._gathered.items() if one.due(now, patience)]
        first, filling = oldest(self._gathered), is_filling(self._gathered, self._planned_at, now)
        if not due and first is not None and not filling and self._hungry(now):
            due = [first]
        due = [part for part in due if self._pending.get(part, 0) < self._settings.max_pending]
        if not due or self._plan is None:
            return
        self._planned_at = now
        self._require_ours(self._plan)
        for part in due:
            self._plan_one(self._plan, part)

    def _require_ours(self, plan: Plan) -> None:
        # The client fetches by name and would read on, silently, in a topic that was made again.
        if self._admin.identity() != plan.identity:
            raise Fenced(f"{self._settings.kafka_topic} is not the topic that it was")

    def _plan_one(self, plan: Plan, part: int) -> None:
        self._pulse.beat()
        gathered = self._gathered[part]
        records, lines = gathered.head()
        batch = plan.add(part, self._generations[part], gathered.next_plan, records, lines)
        self._checkpoint("consumer.planned")
        gathered.planned(len(records))
        self._pending[part] = self._pending.get(part, 0) + 1
        self._metrics.lines.inc(lines)
        self._metrics.batches.inc()
        try:
            messages.enqueue(self._broker, messages.ingest(batch))
        except Unavailable as error:
            self._can_dispatch = False
            log.warning("not dispatched; repair will", error=str(error), part=part, first=batch.first)
        self._checkpoint("consumer.dispatched")

    def _pause(self) -> float | None:
        """Seconds until the next look is due; None where no record waits to be planned."""
        now = self._clock()
        wait = waited(self._gathered, now)
        if wait is None:
            return None
        if is_filling(self._gathered, self._planned_at, now):
            return LOOK_FILLING
        return min(max(wait * LOOK_SHARE, LOOK_LEAST), LOOK_MOST)

    def _hungry(self, now: float) -> bool:
        """Whether workers would take a batch now: advice, of which Redis may know nothing."""
        backlog = self._backlog()
        if backlog is None:
            return False
        waiting, unfinished = backlog
        return not unfinished or (not waiting and (waited(self._gathered, now) or 0.0) >= PATIENCE_BEGUN)

    def _backlog(self) -> tuple[int, int] | None:
        """As `messages.backlog`; None while Redis is away."""
        if self._can_dispatch:
            try:
                return messages.backlog(self._broker, messages.INGEST)
            except Unavailable:
                self._can_dispatch = False
        return None

    def _learn(self) -> None:
        """Once a second: what is pending, which partitions rest, whether Redis is back; the watermark, as advice."""
        now = self._clock()
        if self._plan is None or now - self._learnt_at < 1.0:
            return
        self._learnt_at = now
        self._pulse.beat()
        if not self._can_dispatch and now >= self._probe_at:
            self._probe_at = now + PROBE_SECONDS
            self._can_dispatch = _takes_messages(self._broker)
        self._require_ours(self._plan)
        # Also where nothing comes: what was restored from a backup is planned anew without waiting for more.
        self._plan.require_at({part: (self._generations[part], one.next_plan) for part, one in self._gathered.items()})
        self._pending = self._plan.pending()
        self._rest()
        watermarks = self._plan.watermarks(sorted(self._gathered))
        self._consumer.commit_async(
            {self._partition(part): OffsetAndMetadata(offset, "", -1) for part, offset in watermarks.items()}
        )
        ends = {part: self._consumer.highwater(self._partition(part)) for part in self._gathered}
        self._plan.note_ends({part: int(end) for part, end in ends.items() if end is not None})
        self._measure(watermarks, ends)

    def _measure(self, watermarks: dict[int, int], ends: dict[int, int | None]) -> None:
        for part, watermark in watermarks.items():
            names = (self._settings.kafka_group, self._settings.kafka_topic, str(part))
            self._metrics.lag.labels(*names).set(max((ends.get(part) or watermark) - watermark, 0))
            self._metrics.pending.labels(str(part)).set(self._pending.get(part, 0))
        backlog = self._backlog()
        self._metrics.waiting.set(math.nan if backlog is None else backlog[0])

    def _rest(self) -> None:
        resting = {partition.partition for partition in self._consumer.paused()}
        for part, gathered in self._gathered.items():
            rest = paused(gathered, self._pending.get(part, 0), self._settings.max_pending, part in resting)
            (self._consumer.pause if rest else self._consumer.resume)(self._partition(part))

    def _partition(self, part: int) -> TopicPartition:
        return TopicPartition(self._settings.kafka_topic, part)


def _takes_messages(broker: RedisBroker) -> bool:
    try:
        messages.probe(broker)
    except Unavailable:
        return False
    return True


def _keep_joining(consumer: KafkaConsumer) -> None:
    """Has the next poll go on with a join that outlived the last one.

    Where new metadata was the reason to join (a start, partitions that were added), kafka-python 3.0.12 forgets the
    reason before the join has ended: the member would never be assigned anything, never send a heartbeat, and be
    dropped by the broker without noticing. (Java's `rejoinNeededOrPending` knows a pending join.)
    """
    if consumer.group_metadata().state is MemberState.REBALANCING:
        consumer._coordinator.request_rejoin()
