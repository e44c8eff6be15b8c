"""A dead letter sent again: as an upload of its own, under a key that makes it count once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from pipeline import document
from pipeline.batch import PAYLOAD, Headers
from pipeline.errors import DocumentFault, LineFault, TallyError, Unavailable
from pipeline.grammar import parse
from pipeline.models import DeadLetter, Stream
from pipeline.storage import Store
from pipeline.uploads import Upload, headers

# Seconds; beyond the producer's own.
_PATIENCE: Final = 5.0
# Why a letter that was fit may be left out.
OVERTAKEN: Final = "somebody else has sent it again meanwhile, or deleted it"


class UnfitError(TallyError):
    """A letter cannot be sent again as it is; the message says why."""


class Record(msgspec.Struct, frozen=True):
    """What is sent for a letter: `value` is an upload's body, of `lines` lines, and `key` its Idempotency-Key.

    `retried_at` is when the letter had been sent before, as it was looked at.
    """

    id: int
    value: bytes
    lines: int
    key: str
    retried_at: datetime | None


def topic_ids(store: Store) -> dict[int, str]:
    """The topic id of each stream."""
    return store.read(lambda: dict(Stream.select(Stream.id, Stream.topic_id).tuples()))


def record(letter: Any, topic_id: str, replace: str | None, again: bool, max_lines: int) -> Record:
    """What is to be sent for a letter that stood in a topic, with `replace` in place of its line. Raises UnfitError.

    One that was sent before is fit only to be sent `again`.
    """
    if letter.retried_at is not None and not again:
        raise UnfitError("it was sent again already; once more is only done where that is asked for")
    payload = bytes(letter.payload)
    if letter.line_index is None:
        if replace is not None:
            raise UnfitError("it is a record as a whole: only a line can be replaced")
        if len(payload) >= PAYLOAD:
            raise UnfitError(f"of the record only its first {PAYLOAD} bytes are kept")
        value = payload
    else:
        value = msgspec.json.encode([payload.decode(errors="replace") if replace is None else replace])
    return Record(letter.id, value, _lines(value, max_lines), key(letter, topic_id), letter.retried_at)


def key(letter: Any, topic_id: str) -> str:
    """What a letter's upload is known by: where it stood and what came. Its id may be another's after a restore."""
    place = f"{topic_id}/{letter.part}/{letter.offset}/{letter.line_index}/"
    return "dead-letter-" + blake2b(place.encode() + bytes(letter.payload), digest_size=16).hexdigest()


def send(producer: KafkaProducer, topic: str, store: Store, records: Sequence[Record]) -> list[int]:
    """Has Kafka take the records, marks the letters of those that it took, and returns their ids.

    The letters are locked meanwhile: one that somebody else has sent since it was looked at is left out, or two who
    send it with different words would both count. Raises Unavailable where Kafka does not take one: that is not
    marked, and may be sent once more.
    """
    # What Kafka has stays so where the transaction has to begin anew.
    taken: list[int] = []

    def work() -> BaseException | None:
        wanted = [one for one in _unchanged(store, records) if one.id not in taken]
        failure = _deliver(producer, topic, wanted, taken)
        DeadLetter.update(retried_at=store.now()).where(DeadLetter.id.in_(taken)).execute()
        return failure

    failure = store.write(work)
    if isinstance(failure, KafkaError):
        raise Unavailable("kafka", f"{type(failure).__name__}: {failure}") from failure
    if failure is not None:
        raise failure
    return taken


def _unchanged(store: Store, records: Sequence[Record]) -> list[Record]:
    """Those whose letters are as they were when they were looked at; locks them. Within a transaction."""
    looked: Any = DeadLetter.select(DeadLetter.id, DeadLetter.retried_at)
    looked = looked.where(DeadLetter.id.in_([one.id for one in records]))
    # On SQLite a transaction that writes is alone from its beginning.
    found = {*(looked.for_update() if store.is_mysql else looked).tuples()}
    return [one for one in records if (one.id, one.retried_at) in found]


def _deliver(
    producer: KafkaProducer, topic: str, records: Sequence[Record], taken: list[int]
) -> KafkaError | KeyboardInterrupt | None:
    """Adds the ids of the letters whose records Kafka took to `taken`; returns what ended that early, if anything."""
    now = datetime.now(UTC)
    try:
        waiting = [(one.id, producer.send(topic, value=one.value, headers=_headers(one, now))) for one in records]
        for id, future in waiting:
            future.get(_PATIENCE)
            taken.append(id)
    except (KafkaError, KeyboardInterrupt) as error:
        return error
    return None


def _lines(value: bytes, max_lines: int) -> int:
    """How many lines a body has, of which one is valid at least. Raises UnfitError."""
    try:
        lines = document.decode(value)
    except DocumentFault as fault:
        raise UnfitError(str(fault)) from None
    if len(lines) > max_lines:
        raise UnfitError(f"it has more than {max_lines} lines (MAX_LINES)")
    why = "there is no line in it"
    for number, line in enumerate(lines):
        try:
            parse(line)
        except LineFault as fault:
            why = fault.detail if number == 0 else why
        else:
            return len(lines)
    raise UnfitError(why)


def _headers(sent: Record, now: datetime) -> Headers:
    """The record's headers. Its key is the letter's: sent twice within KEY_WINDOW, as by a crash before it was marked,
    it counts once; and no client's key meets it, since no API key is named so.
    """
    request = f"dead-letter-{sent.id}"
    return headers(Upload(sent.lines, len(sent.value), now, request, sent.key, "dead-letters"))
