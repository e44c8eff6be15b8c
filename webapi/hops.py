"""The way of a line through the pipeline, hop by hop, and what is wrong with it in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

# Seconds: a process says every second how it is; what waits for as long as this is behind.
SILENT: Final = 4.0
BEHIND: Final = 10.0
# Seconds for which an error is news.
NEWS: Final = 60.0
# The consumer's gauge of messages that no worker has fetched; not a number while Redis takes none.
WAITING: Final = "dramatiq_messages_waiting"

State = Literal["ok", "behind", "down", "unknown"]
Number = Annotated[float, Meta(ge=0)]


class Process(msgspec.Struct, frozen=True):
    """What a process said of itself `age_seconds` ago; counters since its start, and how fast they rise."""

    name: str
    host: str
    pid: int
    age_seconds: float
    started_at: str
    counters: dict[str, float]
    per_second: dict[str, float]
    gauges: dict[str, float | None]
    last_error: dict[str, str] | None
    error_age_seconds: Number | None

    @property
    def alive(self) -> bool:
        """Whether it said so lately."""
        return self.age_seconds <= SILENT


class Sums(Protocol):
    """What is used of the ledger (`pipeline.ledger.Classes` is one)."""

    @property
    def received(self) -> int: ...
    @property
    def stored(self) -> int: ...
    @property
    def discarded(self) -> int: ...
    @property
    def rejected(self) -> int: ...
    @property
    def duplicate(self) -> int: ...
    @property
    def balanced(self) -> bool: ...


class Waiting(msgspec.Struct, frozen=True):
    """What is in the database of what is still to be done: records not planned, and batches not executed.

    Ages are seconds since Kafka had the oldest of them, None where nothing waits; `unseen_seconds` is for how long no
    consumer has seen where a partition's log ends, None without partitions.
    """

    records: int
    records_seconds: float | None
    batches: int
    lines: int
    batches_seconds: float | None
    unseen_seconds: float | None = None


class Lost(msgspec.Struct, frozen=True):
    """What was lost lately: lines, and records that were so before anybody had counted theirs."""

    lines: int
    records: int


class Hop(msgspec.Struct, frozen=True):
    """A station of the way: what it did and does, and what waits there."""

    name: Literal["receiver", "kafka", "consumer", "queue", "workers", "database"]
    state: State
    lines_total: Annotated[int, Meta(ge=0)] | None = None
    lines_per_second: Number | None = None
    waiting: Annotated[int, Meta(ge=0)] | None = None
    waiting_unit: Literal["records", "messages", "batches"] | None = None
    lag_seconds: Number | None = None


class Trouble(msgspec.Struct, frozen=True):
    """What is wrong: with which part, and in words."""

    part: str
    detail: str


def hops(waiting: Waiting, sums: Sums, processes: Sequence[Process] | None) -> list[Hop]:
    """All hops, in a line's order. `processes` are None where nobody knows them."""
    lag, age = waiting.records_seconds, waiting.batches_seconds
    done = sums.stored + sums.discarded + sums.rejected + sums.duplicate
    late = _is_late(age)
    messages = _gauge(processes, "consumer", WAITING)
    return [
        Hop(
            "receiver",
            _state(processes, "receiver", late=False),
            _total(processes, "receiver", "pipeline_lines_received_total"),
            _rate(processes, "receiver", "pipeline_lines_received_total"),
        ),
        Hop("kafka", _kafka(processes, waiting), None, None, waiting.records, "records", lag),
        Hop(
            "consumer",
            _state(processes, "consumer", _is_late(lag)),
            sums.received,
            _rate(processes, "consumer", "pipeline_lines_planned_total"),
        ),
        Hop("queue", _queue(processes, messages, late), None, None, messages, "messages"),
        Hop(
            "workers",
            _state(processes, "worker", late),
            done,
            _rate(processes, "worker", *(f"pipeline_lines_{what}_total" for what in _DONE)),
            waiting.batches,
            "batches",
            age,
        ),
        Hop("database", "ok", sums.stored, _rate(processes, "worker", "pipeline_lines_stored_total")),
    ]


def troubles(
    waiting: Waiting, sums: Sums, lately: Lost, processes: Sequence[Process] | None, checks: dict[str, str]
) -> Iterator[Trouble]:
    """What is wrong, the worst first. `checks` are the web API's own dependencies (`/readyz`)."""
    if not sums.balanced:
        yield Trouble("ledger", "it does not balance: lines are of no class, or of two")
    if lately.lines:
        yield Trouble("ledger", f"lost in the last day: {_counted(lately.lines, 'line')}")
    if lately.records:
        said = f"{_counted(lately.records, 'record')}, of how many lines nobody knows"
        yield Trouble("ledger", f"lost in the last day: {said}")
    for name, said in checks.items():
        if said != "ok":
            yield Trouble(name, said)
    if processes is not None:
        for name, means in _MEANS.items():
            if not _alive(processes, name):
                yield Trouble(name, f"none says that it runs: {means}")
    if _is_unread(processes, waiting):
        yield Trouble("kafka", f"no consumer could look into it for {waiting.unseen_seconds:,.0f} s")
    if _is_queue_away(processes):
        yield Trouble("queue", "Redis does not take messages: what is planned waits in the database")
    if _is_late(waiting.records_seconds):
        yield Trouble(
            "kafka", f"{_counted(waiting.records, 'record')} not planned for {waiting.records_seconds:,.0f} s"
        )
    if _is_late(waiting.batches_seconds):
        what = f"{_counted(waiting.batches, 'batch', 'batches')} ({_counted(waiting.lines, 'line')})"
        yield Trouble("queue", f"{what} not stored, the oldest for {waiting.batches_seconds:,.0f} s")
    for one in processes or ():
        if one.last_error and (one.error_age_seconds or 0) <= NEWS:
            yield Trouble(one.name, f"{one.last_error['error']}, {one.error_age_seconds:.0f} s ago")


_DONE: Final = ("stored", "discarded", "rejected", "duplicate")
_MEANS: Final = {
    "receiver": "uploads are refused",
    "consumer": "what Kafka has is not planned",
    "worker": "what is planned is not stored",
    "scheduler": "statistics are not kept warm, and nothing old is cleared away",
}


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _is_late(seconds: float | None) -> bool:
    return seconds is not None and seconds >= BEHIND


def _state(processes: Sequence[Process] | None, name: str, late: bool) -> State:
    if processes is None:
        return "unknown"
    if not _alive(processes, name):
        return "down"
    return "behind" if late else "ok"


def _kafka(processes: Sequence[Process] | None, waiting: Waiting) -> State:
    if _is_unread(processes, waiting):
        return "down"
    return "behind" if _is_late(waiting.records_seconds) else "ok"


def _queue(processes: Sequence[Process] | None, messages: int | None, late: bool) -> State:
    if messages is None:
        return "down" if _is_queue_away(processes) else "unknown"
    return "behind" if messages and late else "ok"


def _is_unread(processes: Sequence[Process] | None, waiting: Waiting) -> bool:
    """Whether consumers run and see nothing of Kafka."""
    return bool(_alive(processes, "consumer")) and _is_late(waiting.unseen_seconds)


def _is_queue_away(processes: Sequence[Process] | None) -> bool:
    """Whether consumers run and are told nothing of the queue."""
    said = [one.gauges[WAITING] for one in _alive(processes, "consumer") if WAITING in one.gauges]
    return bool(said) and all(value is None for value in said)


def _alive(processes: Sequence[Process] | None, name: str) -> list[Process]:
    return [one for one in processes or () if one.name == name and one.alive]


def _total(processes: Sequence[Process] | None, name: str, counter: str) -> int | None:
    found = _alive(processes, name)
    return round(sum(one.counters.get(counter, 0) for one in found)) if found else None


def _rate(processes: Sequence[Process] | None, name: str, *counters: str) -> float | None:
    found = _alive(processes, name)
    rates = [max(one.per_second.get(counter, 0), 0) for one in found for counter in counters]
    return round(sum(rates), 3) if found else None


def _gauge(processes: Sequence[Process] | None, name: str, gauge: str) -> int | None:
    """What one of them says: all see the same."""
    values: Iterable[Any] = (one.gauges.get(gauge) for one in _alive(processes, name))
    return max((round(value) for value in values if value is not None), default=None)
