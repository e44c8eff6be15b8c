"""Loss is loud: ranges that the log no longer holds are written off, counted, and said once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from peewee import fn

from consumer.metrics import Metrics
from consumer.outage import WAITED_FOR, Outage
from consumer.plan import give_up, is_stream_of, write_off
from pipeline.errors import Unavailable
from pipeline.models import Batch, Progress, Stream
from pipeline.storage import Store
from pipeline.topic import Identity

log = structlog.get_logger(__name__)

# Seconds, and looks in them: a broker that is starting may not know a topic yet, or still know one that was replaced.
LASTS_AFTER, LOOKS = 60.0, 5


class Answers:
    """Whether a broker has given the same answer for long, each time that it was asked."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._looks = 0
        self._answer: str | None = None
        self._since = 0.0

    def lasting(self, answer: str | None) -> bool:
        """Notes an answer; returns whether it has been the same for a minute, in five looks at the least."""
        if not self._looks or answer != self._answer:
            self._looks, self._answer, self._since = 0, answer, self._clock()
        self._looks += 1
        return self._looks >= LOOKS and self._clock() - self._since >= LASTS_AFTER

    def forget(self) -> None:
        """Notes that there was no answer."""
        self._looks = 0


class Loss:
    """Looks, one pass a step, for pending batches that can never be read."""

    def __init__(
        self,
        store: Store,
        identity: Callable[[], Identity | None],
        beginnings: Callable[[Sequence[int]], dict[int, int]],
        cluster_id: str,
        topic: str,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._identity = identity
        self._beginnings = beginnings
        self._cluster_id = cluster_id
        self._topic = topic
        self._metrics = metrics
        self._answers = Answers(clock)
        self._outage = Outage("cannot look for losses", clock)

    def step(self) -> bool:
        """One pass; returns False: there is never more at once. A server that is away or refuses is waited for."""
        try:
            self.look()
        except WAITED_FOR as error:
            self._outage.tell(error)
        return False

    def look(self) -> None:
        """One pass. Raises Unavailable."""
        try:
            identity = self._identity()
        except Unavailable:
            self._answers.forget()
            raise
        lasting = self._answers.lasting(identity.topic_id if identity else None)
        # Another cluster's topic is not gone because this one, perhaps named by mistake, does not know it.
        same_name = (Stream.cluster_id == self._cluster_id) & (Stream.topic == self._topic)
        if identity is None:
            if lasting:
                self._bury(same_name)
            return
        if self._is_gone(identity):
            # Of a topic that was given up nothing follows before it has been there for long, not even that others went.
            if not lasting:
                return
            self._revive(identity)
        self._bury(same_name & (Stream.topic_id != identity.topic_id))
        self._retained(identity)

    def _is_gone(self, identity: Identity) -> bool:
        gone = Stream.select().where(is_stream_of(identity), Stream.state == "gone")
        return bool(self._store.read(gone.exists))

    def _revive(self, identity: Identity) -> None:
        """Has a stream that was given up go on from where its plan stands; what was written off of it stays lost."""
        which = (is_stream_of(identity), Stream.state == "gone")
        if self._store.write(lambda: Stream.update(state="live").where(*which).execute()):
            log.error("a topic that was given up is there: going on", topic=self._topic, topic_id=identity.topic_id)

    def _bury(self, which: object) -> None:
        """Ends streams whose topic is gone: what is pending or not planned of them is lost.

        One that has ended may still get a batch, from a consumer that froze between its look at the topic and its plan.
        """
        planned_late = Stream.id.in_(Batch.select(Batch.stream).where(Batch.state == "pending"))

        def work() -> list[tuple[int, int, int]]:
            said = []
            for stream in Stream.select().where(which, (Stream.state == "live") | planned_late):
                lines = give_up(self._store, Batch.stream == stream.id)
                unplanned = (Progress.stream == stream.id) & (Progress.end_offset > Progress.next_plan)
                records = 0
                for row in Progress.select().where(unplanned):
                    records += row.end_offset - row.next_plan
                    write_off(self._store, stream.id, row.part, row.generation, row.next_plan, row.end_offset)
                    Progress.update(next_plan=row.end_offset).where(
                        Progress.stream == stream.id, Progress.part == row.part
                    ).execute()
                Stream.update(state="gone").where(Stream.id == stream.id).execute()
                said.append((stream.id, lines, records))
            return said

        for stream, lines, records in self._store.write(work):
            self._metrics.lost.inc(lines)
            self._metrics.uncounted.inc(records)
            tell = log.bind(stream=stream, topic=self._topic)
            if lines or records:
                tell.error("lost: the topic is gone", lines=lines, records_not_planned=records)
            else:
                tell.info("the topic is gone, and nothing of it was waiting")

    def _retained(self, identity: Identity) -> None:
        """Writes off pending batches that begin before the log does."""
        firsts = (
            Batch.select(Batch.part, fn.MIN(Batch.first))
            .join(Stream, on=(Stream.id == Batch.stream))
            .where(Batch.state == "pending", is_stream_of(identity))
            .group_by(Batch.part)
            .tuples()
        )
        pending = dict(self._store.read(lambda: list(firsts)))
        if not pending:
            return
        for part, beginning in self._beginnings(sorted(pending)).items():
            if beginning > pending[part]:
                lines = self._store.write(partial(self._expire, identity, part, beginning))
                self._metrics.lost.inc(lines)
                log.error("lost: retention passed", part=part, before=beginning, lines=lines)

    def _expire(self, identity: Identity, part: int, beginning: int) -> int:
        stream = Stream.select(Stream.id).where(is_stream_of(identity))
        return give_up(self._store, Batch.stream.in_(stream), Batch.part == part, Batch.first < beginning)
