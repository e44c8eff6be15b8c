"""What has been read of one partition and is not planned yet. Pure: no clock, no client."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from pipeline import batch
from pipeline.batch import Record

# Past so many batches' worth a partition is not read on until some of it is planned.
CEILING = 3
# Where so much of a batch comes within FILLING seconds, the next one is left to fill for as long: a batch has a fixed
# cost. What came in less than RATE_SECONDS counts as having come in these.
FILLING, WORTH_FILLING, RATE_SECONDS = 0.2, 1 / 3, 0.05


class Gathered:
    """Records that follow on the plan without a hole, in order.

    `next_plan` is where the plan ends, `position` the offset that the next record is expected at.
    """

    def __init__(self, next_plan: int) -> None:
        self.next_plan = next_plan
        self.position = next_plan
        self.lines = 0
        self.bytes = 0
        self._waiting: deque[tuple[Record, int, float]] = deque()

    @property
    def since(self) -> float | None:
        """When the oldest record was read (seconds, the caller's clock); None when there is none."""
        return self._waiting[0][2] if self._waiting else None

    @property
    def batches(self) -> float:
        """How much waits, in full batches."""
        most = max(self.lines, len(self._waiting))  # a record that is no upload has no line
        return max(most / batch.LINES, self.bytes / batch.BYTES)

    def take(self, records: Sequence[Record], now: float, sought: bool) -> bool:
        """Adds records that were polled; returns False, and takes none, where they do not follow on.

        Records before `position` never follow. Records past it leave a hole: a log may have one (compaction,
        transactions), which is believed only when the records are the first after our own seek (`sought`).
        """
        if not records:
            return True
        if records[0].offset < self.position or (records[0].offset > self.position and not sought):
            return False
        for record in records:
            count = batch.lines(record)
            self._waiting.append((record, count, now))
            self.lines += count
            self.bytes += _size(record)
        self.position = records[-1].offset + 1
        return True

    def due(self, now: float, patience: float) -> bool:
        """Whether a batch is full, or its oldest record has waited for `patience` seconds."""
        return self.batches >= 1 or (self.since is not None and now - self.since >= patience)

    def head(self) -> tuple[list[Record], int]:
        """The records of the next batch and their lines: `LINES` of each and `BYTES` at the most, or one record."""
        records: list[Record] = []
        lines = size = 0
        for record, count, _ in self._waiting:
            lines, size = lines + count, size + _size(record)
            if records and (lines > batch.LINES or size > batch.BYTES or len(records) == batch.LINES):
                return records, lines - count
            records.append(record)
        return records, lines

    def planned(self, count: int) -> None:
        """Forgets the first `count` records: the plan has them."""
        for _ in range(count):
            record, lines, _since = self._waiting.popleft()
            self.lines -= lines
            self.bytes -= _size(record)
            self.next_plan = record.offset + 1


def oldest(gathered: dict[int, Gathered]) -> int | None:
    """The partition whose first record has waited longest; None when nothing waits."""
    waiting = {part: one.since for part, one in gathered.items() if one.since is not None}
    return min(waiting, key=lambda part: waiting[part]) if waiting else None


def waited(gathered: dict[int, Gathered], now: float) -> float | None:
    """For how long the oldest record has waited, in seconds; None when nothing waits."""
    since = [one.since for one in gathered.values() if one.since is not None]
    return now - min(since) if since else None


def is_filling(gathered: dict[int, Gathered], planned_at: float, now: float) -> bool:
    """Whether so much waits, by how long ago the last batch was planned, that the next one is worth waiting for.

    What waits counts wherever it came from, and a full batch is not to be waited for.
    """
    batches = [one.batches for one in gathered.values()]
    rate = sum(batches) / max(now - planned_at, RATE_SECONDS)
    is_worth_it = rate * FILLING >= WORTH_FILLING and max(batches) < 1
    return is_worth_it and (waited(gathered, now) or 0.0) < FILLING


def paused(gathered: Gathered, pending: int, limit: int, was_paused: bool) -> bool:
    """Whether a partition is not to be read on: `pending` batches reach `limit`, or have not halved since.

    Judged anew in every loop, never on the edge alone.
    """
    return pending >= limit or (was_paused and pending > limit // 2) or gathered.batches >= CEILING


def _size(record: Record) -> int:
    return len(record.value or b"")
