"""The plan: which ranges of the topic are batches, and how far each partition is planned. It stands in MySQL."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import fn

from pipeline import batch
from pipeline.batch import NO_DIGEST, Range, Record
from pipeline.errors import Fenced, Unavailable
from pipeline.models import Batch, Progress, Stream
from pipeline.moment import of_record
from pipeline.storage import Store
from pipeline.topic import Identity

# How old the knowledge of where a log ends may grow before it is renewed.
SEEN_SECONDS = 2


@dataclass(frozen=True)
class Mark:
    """The last record that was read of a partition, to see later whether the log still holds it."""

    offset: int
    time: int  # Kafka's timestamp, ms
    crc: int

    @classmethod
    def of(cls, record: Record) -> Mark:
        """The mark of a record."""
        return cls(record.offset, record.timestamp, zlib.crc32(record.value or b""))


@dataclass(frozen=True)
class Planned:
    """How far a partition is planned."""

    generation: int
    next_plan: int
    mark: Mark | None


class Plan:
    """The plan of one stream."""

    def __init__(self, store: Store, stream: int, identity: Identity) -> None:
        self._store = store
        self.stream = stream
        self.identity = identity

    @classmethod
    def of(cls, store: Store, identity: Identity) -> Plan:
        """The plan of the topic as it is now, begun where it is a stream not seen before. Raises Unavailable."""
        return cls(store, store.write(lambda: _stream(identity)), identity)

    def planned(self, part: int, beginning: int) -> Planned:
        """How far a partition is planned; one that is new to the plan starts at the log's beginning."""

        def work() -> Planned:
            Progress.insert(
                stream=self.stream,
                part=part,
                generation=0,
                next_plan=beginning,
                end_offset=beginning,
                seen_at=self._store.now(),
            ).on_conflict_ignore().execute()
            row = Progress.get(Progress.stream == self.stream, Progress.part == part)
            mark = None if row.mark_offset is None else Mark(row.mark_offset, row.mark_time, row.mark_crc)
            return Planned(row.generation, row.next_plan, mark)

        return self._store.write(work)

    def add(self, part: int, generation: int, first: int, records: Sequence[Record], lines: int) -> Range:
        """Plans the records as one batch that begins at offset `first`, and moves the plan past them.

        Raises Fenced when the plan does not stand at `first` (any more): somebody else owns the partition.
        """
        mark, digest, after = Mark.of(records[-1]), batch.digest(records), records[-1].offset + 1
        oldest = of_record(min(record.timestamp for record in records))

        def work() -> None:
            self._advance(
                part,
                generation,
                first,
                next_plan=after,
                mark_offset=mark.offset,
                mark_epoch=getattr(records[-1], "leader_epoch", None),
                mark_time=mark.time,
                mark_crc=mark.crc,
            )
            Batch.insert(
                stream=self.stream,
                part=part,
                generation=generation,
                first=first,
                next=after,
                lines=lines,
                digest=digest,
                state="pending",
                oldest_at=oldest,
                planned_at=self._store.now(),
                dispatched_at=self._store.now(),
            ).execute()

        self._store.write(work)
        return Range(self.identity.topic_id, part, generation, first, after, digest.hex())

    def pending(self) -> dict[int, int]:
        """How many batches of each partition are pending."""
        query = (
            Batch.select(Batch.part, fn.COUNT(Batch.id))
            .where(Batch.state == "pending", Batch.stream == self.stream)
            .group_by(Batch.part)
        )
        return self._store.read(lambda: dict(query.tuples()))

    def require_at(self, positions: Mapping[int, tuple[int, int]]) -> None:
        """Raises Fenced where a partition is not planned as far as it is given here, by generation and offset: somebody
        else has planned on, or MySQL is what it was before."""
        rows = Progress.select(Progress.part, Progress.generation, Progress.next_plan).where(
            Progress.stream == self.stream
        )
        stands = {part: at for part, *at in self._store.read(lambda: list(rows.tuples()))}
        for part, position in positions.items():
            if stands.get(part) != [*position]:
                raise Fenced(f"the plan of partition {part} is not where it was left")

    def watermarks(self, parts: Sequence[int]) -> dict[int, int]:
        """The offset of each partition below which everything is done or lost."""

        def work() -> dict[int, int]:
            ends = Progress.select(Progress.part, Progress.next_plan).where(Progress.stream == self.stream)
            pending = (
                Batch.select(Batch.part, fn.MIN(Batch.first))
                .where(Batch.state == "pending", Batch.stream == self.stream)
                .group_by(Batch.part)
            )
            marks = {**dict(ends.tuples()), **dict(pending.tuples())}
            return {part: marks[part] for part in parts if part in marks}

        return self._store.read(work)

    def note_ends(self, ends: dict[int, int]) -> None:
        """Writes down where each partition's log ends now, every two seconds even where that is nothing new.

        The ledger tells from it what is not planned yet, statistics how fresh they are, housekeeping which keys can go.
        """

        def work() -> None:
            for part, end in ends.items():
                news = (Progress.end_offset < end) | (Progress.seen_at < self._store.ago(SEEN_SECONDS))
                Progress.update(end_offset=end, seen_at=self._store.now()).where(
                    Progress.stream == self.stream, Progress.part == part, Progress.end_offset <= end, news
                ).execute()

        if ends:
            self._store.write(work)

    def lose(self, part: int, generation: int, first: int, after: int) -> None:
        """Writes off a range that the log no longer holds and that nobody had counted, and plans on after it."""

        def work() -> None:
            self._advance(part, generation, first, next_plan=after)
            write_off(self._store, self.stream, part, generation, first, after)

        self._store.write(work)

    def regenerate(self, part: int, generation: int, beginning: int) -> int:
        """Begins a partition's next generation at the log's beginning: what is pending of this one is lost.

        Returns how many lines that is.
        """

        def work() -> int:
            moved = (
                Progress.update(
                    generation=generation + 1,
                    next_plan=beginning,
                    end_offset=beginning,
                    seen_at=self._store.now(),
                    mark_offset=None,
                )
                .where(Progress.stream == self.stream, Progress.part == part, Progress.generation == generation)
                .execute()
            )
            if not moved:
                raise Fenced(f"partition {part} is past generation {generation}")
            return give_up(self._store, Batch.stream == self.stream, Batch.part == part)

        return self._store.write(work)

    def _advance(self, part: int, generation: int, first: int, **progress: Any) -> None:
        """Moves the plan of a partition on. Raises Fenced when it does not stand at `first` (any more)."""
        moved = Progress.update(**progress).where(
            Progress.stream == self.stream,
            Progress.part == part,
            Progress.generation == generation,
            Progress.next_plan == first,
        )
        if not moved.execute():
            raise Fenced(f"partition {part} is not planned up to {first}")


def write_off(store: Store, stream: int, part: int, generation: int, first: int, after: int) -> None:
    """Inserts a lost batch for a range that was never planned: its lines are not known, and count as none."""
    Batch.insert(
        stream=stream,
        part=part,
        generation=generation,
        first=first,
        next=after,
        lines=0,
        digest=NO_DIGEST,
        state="lost",
        oldest_at=store.now(),
        planned_at=store.now(),
        dispatched_at=store.now(),
    ).execute()


def give_up(store: Store, *which: object) -> int:
    """Ends such batches as are pending, inside a transaction; returns how many lines are lost with them.

    They are locked before they are summed: what an actor gets done meanwhile is not lost.
    """
    pending = (*which, Batch.state == "pending")
    batches: Any = Batch.select(Batch.lines).where(*pending).tuples()
    lines = [lines for (lines,) in (batches.for_update() if store.is_mysql else batches)]
    Batch.update(state="lost").where(*pending).execute()
    return sum(lines)


def is_stream_of(identity: Identity) -> Any:
    """The condition that a row of `stream` is of this topic. All three count: some brokers give topics no ids."""
    return (
        (Stream.cluster_id == identity.cluster_id)
        & (Stream.topic == identity.topic)
        & (Stream.topic_id == identity.topic_id)
    )


def _stream(identity: Identity) -> int:
    Stream.insert(
        cluster_id=identity.cluster_id, topic=identity.topic, topic_id=identity.topic_id, state="live"
    ).on_conflict_ignore().execute()
    stream = Stream.get(is_stream_of(identity))
    if stream.state == "gone":
        raise Unavailable("kafka", f"a broker still answers for a {identity.topic} that was replaced")
    return int(stream.id)
