"""Kafka, MySQL and Redis as they fail, in memory: one partition, one database, one queue."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from pipeline import batch

T = TypeVar("T")


class Unknown(Exception):  # noqa: N818 (what a client knows)
    """A transaction of which the client does not hear whether it was committed."""


class Record(NamedTuple):
    """A Kafka record: one upload of one line. `timestamp` is another in each."""

    offset: int
    timestamp: int
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]
    upload: int
    topic_id: int


class Message(NamedTuple):
    """What the consumer tells the workers."""

    topic_id: int
    generation: int
    first: int
    next: int
    digest: bytes


class Log:
    """A topic of one partition; `written` is all that ever was in it, `destroyed` what of it was taken away."""

    def __init__(self) -> None:
        self.topic_id = self.epoch = 1
        self.start = self.end = 0
        self.records: list[Record] = []
        self.written: list[Record] = []
        self.destroyed: set[int] = set()

    def append(self, upload: int, gap: bool = False) -> None:
        """Writes an upload's record; with `gap` after an offset that nobody gets to read."""
        self.end += gap
        headers = (("lines", b"1"), ("key", b"%d" % upload))
        record = Record(self.end, len(self.written), b'["%d"]' % upload, headers, upload, self.topic_id)
        self.records.append(record)
        self.written.append(record)
        self.end += 1

    def read(self, first: int, end: int | None = None) -> list[Record]:
        """The records from an offset on."""
        return [record for record in self.records if first <= record.offset < (self.end if end is None else end)]

    def recreate(self) -> None:
        """Deletes the topic and makes it again under its name."""
        self._destroy(self.records)
        self.topic_id += 1
        self.start = self.end = 0

    def cut(self, at: int) -> None:
        """Loses the end, as a leader does that was elected unclean."""
        self._destroy(self.read(at))
        self.epoch += 1
        self.end = max(self.start, at)

    def retain(self, start: int) -> None:
        """Deletes what is old."""
        self._destroy(self.read(0, start))
        self.start = start

    def _destroy(self, gone: list[Record]) -> None:
        self.destroyed.update(record.timestamp for record in gone)
        self.records = [record for record in self.records if record not in gone]


@dataclass
class Batch:
    """A row of `batch`."""

    stream: int
    generation: int
    first: int
    next: int
    lines: int
    digest: bytes
    state: str = "pending"
    counted: int = 0


@dataclass
class Plan:
    """A row of `progress`; the mark is the last record that was read: its offset and value."""

    generation: int = 0
    next_plan: int = 0
    mark: tuple[int, bytes] | None = None


@dataclass
class State:
    """All that MySQL has."""

    streams: dict[int, int] = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    keys: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    rows: Counter[int] = field(default_factory=Counter)
    dead: Counter[int] = field(default_factory=Counter)

    def pending(self) -> list[Batch]:
        """The batches that are to be done."""
        return [one for one in self.batches if one.state == "pending"]


class Database:
    """Transactions that commit, or roll back, or commit and do not say so."""

    def __init__(self) -> None:
        self.state = State()
        self.backup = State()
        self.fates: list[str] = []

    def transact(self, work: Callable[[State], T]) -> T:
        """Runs work alone, all of it or nothing. Raises Unknown, and what `work` raises."""
        trial = copy.deepcopy(self.state)
        result = work(trial)
        fate = self.fates.pop() if self.fates else "committed"
        if fate != "rolled back":
            self.state = trial
        if fate != "committed":
            raise Unknown
        return result


class World:
    """Everything, what the client knows, and which uploads are poison."""

    def __init__(self) -> None:
        self.log = Log()
        self.database = Database()
        self.queue: list[Message] = []
        self.sent: list[Message] = []
        self.kafka_commit = 0
        self.committed_for: tuple[int, int] | None = None  # the stream and the generation, where it is the plan's own
        self.acknowledged: set[int] = set()
        self.uploads = 0
        self.poison: set[int] = set()

    def is_lost(self, upload: int) -> bool:
        """Whether Kafka or MySQL says of each of an upload's records that it is lost: taken away, or written off."""
        ranges = [(one.stream, one.first, one.next) for one in self.database.state.batches if one.state == "lost"]
        found = [record for record in self.log.written if record.upload == upload]
        return bool(found) and all(
            record.timestamp in self.log.destroyed
            or any(stream == record.topic_id and first <= record.offset < end for stream, first, end in ranges)
            for record in found
        )

    def send(self, message: Message) -> None:
        """Puts a message on the queue."""
        self.queue.append(message)
        self.sent.append(message)


def digest(records: Sequence[Record]) -> bytes:
    """The product's own."""
    return batch.digest(records)
