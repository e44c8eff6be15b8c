"""Sends again what stays pending: the message may be lost, the plan is not."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import peewee
import redis
import structlog
from dramatiq.brokers.redis import RedisBroker
from prometheus_client import Counter

from consumer.outage import WAITED_FOR, Outage
from pipeline import messages
from pipeline.batch import Range
from pipeline.checkpoint import Checkpoint, nowhere
from pipeline.errors import Unavailable
from pipeline.models import Batch, Stream
from pipeline.storage import Store, error_code

log = structlog.get_logger(__name__)

# Seconds before a batch is sent again, doubling up to the second.
PATIENCE, PATIENCE_LIMIT = 5.0, 30.0
MESSAGES_A_PASS = 16
# A random value in Redis; when it is another or gone, so are the messages.
EPOCH_KEY = "tally:epoch"
# Somebody holds the batch's row: he is working on it. (MySQL's NOWAIT, MariaDB's.)
_LOCKED = frozenset({3572, 1205})


class Stale(NamedTuple):
    """A pending batch that was not dispatched lately."""

    id: int
    dispatched_at: datetime
    range: Range


class Repair:
    """One pass a step, over all partitions of the topic, also those that nobody is assigned, and as it was before."""

    def __init__(
        self,
        store: Store,
        broker: RedisBroker,
        cluster_id: str,
        topic: str,
        resent: Counter,
        clock: Callable[[], float] = time.monotonic,
        checkpoint: Checkpoint = nowhere,
    ) -> None:
        self._store = store
        self._broker = broker
        # What no worker here can read would stand before what they can.
        self._workable = (Stream.cluster_id == cluster_id, Stream.topic == topic, Stream.state == "live")
        self._resent = resent
        self._clock = clock
        self._checkpoint = checkpoint
        self._epoch: Any = None
        self._waits: dict[int, tuple[float, float]] = {}  # batch: (not before, then after another)
        self._owed: set[int] = set()  # what Redis forgot and is not sent again yet
        self._outage = Outage("repair waits", clock)

    def step(self) -> bool:
        """One pass; returns whether there may be more to send. A server that is away or refuses is waited for."""
        try:
            return self.repair()
        except WAITED_FOR as error:
            self._outage.tell(error)
            return False

    def repair(self) -> bool:
        """Sends at most sixteen messages; returns whether there may be more to send. Raises Unavailable."""
        if self._forgotten():
            self._owed = {stale.id for stale in self._pending(0)}
            log.warning("redis lost its messages; sending again", batches=len(self._owed))
        candidates = self._pending(0 if self._owed else PATIENCE)
        self._owed &= {stale.id for stale in candidates}
        # Not by the candidates: a batch that was just sent again is none, and would wait no longer the next time.
        self._waits = {batch: wait for batch, wait in self._waits.items() if wait[0] + PATIENCE_LIMIT > self._clock()}
        # As many messages as stale batches wait already: more of them would only fill Redis.
        if not candidates or (not self._owed and messages.waiting(self._broker, messages.INGEST) >= len(candidates)):
            return False
        due = [stale for stale in candidates if self._due(stale.id)][:MESSAGES_A_PASS]
        for stale in due:
            self._send(stale)
        # A full pass is followed by the next at once: hundreds of batches pile up while Redis is away.
        return bool(self._owed) or len(due) == MESSAGES_A_PASS

    def _due(self, batch: int) -> bool:
        if self._owed:
            return batch in self._owed
        return self._clock() >= self._waits.get(batch, (0.0, 0.0))[0]

    def _send(self, stale: Stale) -> None:
        wait = self._waits.get(stale.id, (0.0, PATIENCE))[1]
        self._waits[stale.id] = (self._clock() + wait, min(wait * 2, PATIENCE_LIMIT))
        if self._store.write(lambda: self._mark(stale)):
            self._checkpoint("repair.marked")
            messages.enqueue(self._broker, messages.ingest(stale.range, again=True))
            self._resent.inc()
            log.info("sent again", part=stale.range.part, first=stale.range.first, next=stale.range.next)
        self._owed.discard(stale.id)

    def _mark(self, stale: Stale) -> bool:
        """Notes that the batch is sent now, unless it is being worked on or another repair was faster."""
        mine = (Batch.id == stale.id, Batch.state == "pending", Batch.dispatched_at == stale.dispatched_at)
        if self._store.is_mysql:
            try:
                if not list(Batch.select(Batch.id).where(*mine).for_update("FOR UPDATE NOWAIT").tuples()):
                    return False
            except peewee.OperationalError as error:
                if error_code(error) in _LOCKED:
                    return False
                raise
        return bool(Batch.update(dispatched_at=self._store.now()).where(*mine).execute())

    def _pending(self, seconds: float) -> list[Stale]:
        query = (
            Batch.select(
                Batch.id,
                Batch.dispatched_at,
                Stream.topic_id,
                Batch.part,
                Batch.generation,
                Batch.first,
                Batch.next,
                Batch.digest,
            )
            .join(Stream, on=(Stream.id == Batch.stream))
            .where(Batch.state == "pending", Batch.dispatched_at <= self._store.ago(seconds), *self._workable)
            .order_by(Batch.id)
            .limit(1000)
            .tuples()
        )
        return [
            Stale(id, at, Range(topic_id, part, generation, first, after, bytes(digest).hex()))
            for id, at, topic_id, part, generation, first, after, digest in self._store.read(lambda: list(query))
        ]

    def _forgotten(self) -> bool:
        """Whether Redis lost what it held since the last pass; a new epoch is set before anything is sent."""
        try:
            mine = secrets.token_bytes(16)
            found: Any = self._broker.client.get(EPOCH_KEY)
            if found is None:
                self._broker.client.set(EPOCH_KEY, mine, nx=True)
                found = self._broker.client.get(EPOCH_KEY)
        except redis.RedisError as error:
            raise Unavailable("redis", error) from error
        before, self._epoch = self._epoch, found
        return before is not None and before != found
