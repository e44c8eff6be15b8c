"""Loss is loud: ranges that the log no longer holds are written off, counted, and said once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from peewee import fn
from prometheus_client import Counter

from consumer.outage import WAITED_FOR, Outage
from consumer.plan import give_up, is_stream_of, write_off
from pipeline.models import Batch, Progress, Stream
from pipeline.storage import Store
from pipeline.topic import Identity

log = structlog.get_logger(__name__)

# A broker that is starting may not know a topic yet; one that is gone stays so.
GONE_AFTER = 60.0


class Loss:
    """Looks, one pass a step, for pending batches that can never be read."""

    def __init__(
        self,
        store: Store,
        identity: Callable[[], Identity | None],
        beginnings: Callable[[Sequence[int]], dict[int, int]],
        cluster_id: str,
        topic: str,
        lost: Counter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._identity = identity
        self._beginnings = beginnings
        self._cluster_id = cluster_id
        self._topic = topic
        self._lost = lost
        self._clock = clock
        self._missing_since: float | None = None
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
        identity = self._identity()
        # Another cluster's topic is not gone because this one, perhaps named by mistake, does not know it.
        same_name = (Stream.cluster_id == self._cluster_id) & (Stream.topic == self._topic)
        if identity is None:
            self._missing_since = self._missing_since or self._clock()
            if self._clock() - self._missing_since >= GONE_AFTER:
                self._bury(same_name)
            return
        self._missing_since = None
        self._bury(same_name & (Stream.topic_id != identity.topic_id))
        self._retained(identity)

    def _bury(self, which: object) -> None:
        """Ends streams whose topic is gone: what is pending or not planned of them is lost.

        One that has ended may still get a batch, from a consumer that froze between its look at the topic and its plan.
        """
        planned_late = Stream.id.in_(Batch.select(Batch.stream).where(Batch.state == "pending"))

        def work() -> list[tuple[int, int]]:
            said = []
            for stream in Stream.select().where(which, (Stream.state == "live") | planned_late):
                lines = give_up(self._store, Batch.stream == stream.id)
                unplanned = (Progress.stream == stream.id) & (Progress.end_offset > Progress.next_plan)
                for row in Progress.select().where(unplanned):
                    write_off(self._store, stream.id, row.part, row.generation, row.next_plan, row.end_offset)
                    Progress.update(next_plan=row.end_offset).where(
                        Progress.stream == stream.id, Progress.part == row.part
                    ).execute()
                Stream.update(state="gone").where(Stream.id == stream.id).execute()
                said.append((stream.id, lines))
            return said

        for stream, lines in self._store.write(work):
            self._lost.inc(lines)
            log.error("lost: the topic is gone", stream=stream, topic=self._topic, lines=lines)

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
                self._lost.inc(lines)
                log.error("lost: retention passed", part=part, before=beginning, lines=lines)

    def _expire(self, identity: Identity, part: int, beginning: int) -> int:
        stream = Stream.select(Stream.id).where(is_stream_of(identity))
        return give_up(self._store, Batch.stream.in_(stream), Batch.part == part, Batch.first < beginning)
