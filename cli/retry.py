"""Dead letters sent again: each is an upload of its own, under a key that makes it count once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from cli.letters import Chosen, chunks
from cli.table import Paper
from pipeline.errors import TallyError, Unavailable
from pipeline.models import DeadLetter, Stream
from pipeline.settings import Settings
from pipeline.storage import Store
from receiver import producer
from receiver.verdict import line_by_line
from tasks.frame import PAYLOAD

# Seconds; beyond the producer's own.
_PATIENCE: Final = 5.0


class UnfitError(TallyError):
    """A letter cannot be sent again as it is; the message says why."""


class Record(msgspec.Struct, frozen=True):
    """What is sent for a letter: `value` is an upload's body, of `lines` lines, and `key` its Idempotency-Key."""

    id: int
    value: bytes
    lines: int
    key: bytes


def run(settings: Settings, store: Store, chosen: Chosen, replace: str | None, again: bool, paper: Paper) -> int:
    """Sends the letters that are fit for it, and names the others; returns 1 where there are some.

    Raises Unavailable where Kafka does not take one: it is not marked, and may be sent once more.
    """
    unfit, sent = 0, 0
    topic_ids = store.read(lambda: dict(Stream.select(Stream.id, Stream.topic_id).tuples()))
    sending = producer.build(settings)
    try:
        for chunk in chunks(store, chosen):
            fit = []
            for letter in chunk:
                try:
                    fit.append(record(letter, topic_ids.get(letter.stream, ""), replace, again, settings.max_lines))
                except UnfitError as error:
                    unfit += 1
                    paper.say(f"{letter.id}: {error}")
            _send(sending, settings.kafka_topic, store, fit)
            sent += len(fit)
    finally:
        sending.close(timeout=1)
    paper.say(f"sent {sent:,} again" + (f", left {unfit:,} as they are" if unfit else ""))
    return 1 if unfit else 0


def record(letter: Any, topic_id: str, replace: str | None, again: bool, max_lines: int) -> Record:
    """What is to be sent for a letter that stood in a topic. Raises UnfitError."""
    if letter.retried_at is not None and not again:
        raise UnfitError("it was sent again already (--again sends it once more)")
    payload = bytes(letter.payload)
    if letter.line_index is None:
        if replace is not None:
            raise UnfitError("it is a record as a whole, and --replace is for a line")
        if len(payload) >= PAYLOAD:
            raise UnfitError(f"of the record only its first {PAYLOAD} bytes are kept")
        value = payload
    else:
        value = msgspec.json.encode([payload.decode(errors="replace") if replace is None else replace])
    try:
        verdict = line_by_line(value, max_lines)
    except TallyError as error:
        raise UnfitError(str(error)) from None
    if not verdict.accepted:
        raise UnfitError(verdict.errors[0].detail if verdict.errors else "there is no line in it")
    return Record(letter.id, value, verdict.accepted + verdict.rejected, key(letter, topic_id))


def key(letter: Any, topic_id: str) -> bytes:
    """What a letter's upload is known by: where it stood and what came. Its id may be another's after a restore."""
    place = f"{topic_id}/{letter.part}/{letter.offset}/{letter.line_index}/"
    return b"dead-letter-" + blake2b(place.encode() + bytes(letter.payload), digest_size=16).hexdigest().encode()


def headers(sent: Record, now: datetime) -> list[tuple[str, bytes]]:
    """The record's headers. Its key is the letter's: sent twice within KEY_WINDOW, as by a crash before it was marked,
    it counts once; and no client's key meets it, since no API key is named so.
    """
    return [
        ("format", b"lines"),
        ("received", f"{now:%Y-%m-%dT%H:%M:%S.%fZ}".encode()),
        ("lines", b"%d" % sent.lines),
        ("request", b"dead-letter-%d" % sent.id),
        ("key", sent.key),
        ("api_key", b"dead-letters"),
    ]


def _send(sending: KafkaProducer, topic: str, store: Store, records: Sequence[Record]) -> None:
    """Has Kafka take the records, and marks the letters of those that it took."""
    taken: list[int] = []
    now = datetime.now(UTC)
    try:
        waiting = [(one.id, sending.send(topic, value=one.value, headers=headers(one, now))) for one in records]
        for id, future in waiting:
            future.get(_PATIENCE)
            taken.append(id)
    except KafkaError as error:
        raise Unavailable("kafka", f"{type(error).__name__}: {error}") from error
    finally:
        if taken:
            mark = DeadLetter.update(retried_at=store.now()).where(DeadLetter.id.in_(taken))
            store.write(lambda: mark.execute())
