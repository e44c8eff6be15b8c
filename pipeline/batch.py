"""A batch: a range of one partition's offsets, what it holds, and the digest that says it is still the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

# What a batch holds at the most, unless one upload alone is larger.
LINES = 48_000
BYTES = 32 * 1024 * 1024
# Bytes that are kept of a line, or of a record, that becomes a dead letter.
PAYLOAD = 65_535
# Of a range that was written off before anybody had read it.
NO_DIGEST = bytes(16)

Headers = list[tuple[str, bytes]]

_DECIMAL = re.compile(rb"[0-9]{1,9}")
_documents = msgspec.json.Decoder()


class Record(Protocol):
    """What is used of a Kafka record; kafka-python's ConsumerRecord is one."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Range(msgspec.Struct, frozen=True):
    """Names a batch to whoever executes it: everything that its claim compares.

    `next` is the offset after the last; `digest` is hexadecimal.
    """

    topic_id: str
    part: int
    generation: int
    first: int
    next: int
    digest: str


def header(record: Record, name: str) -> bytes | None:
    """The first value of a header, None where it is absent."""
    for key, value in record.headers:
        if key == name:
            return value
    return None


def lines(record: Record) -> int:
    """How many lines a record counts for; never raises.

    What its `lines` header says, unless that is no number or more than the value could hold; else the elements of
    its array; one for anything that is no array, none for a null value.
    """
    if record.value is None:
        return 0
    declared = header(record, "lines")
    if declared is not None and _DECIMAL.fullmatch(declared) and int(declared) <= len(record.value):
        return int(declared)
    document = decode(record.value)
    return len(document) if isinstance(document, list) else 1


def decode(value: bytes) -> object:
    """The JSON document in `value`, or None when it is none."""
    try:
        return _documents.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def digest(records: Iterable[Record]) -> bytes:
    """16 bytes over each record's offset, headers and value, in order (BLAKE2b)."""
    state = hashlib.blake2b(digest_size=16)
    for record in records:
        value = record.value
        state.update(b"%d;%d;%d;" % (record.offset, -1 if value is None else len(value), len(record.headers)))
        for key, said in record.headers:
            name, text = key.encode(), said or b""
            state.update(b"%d;%d;%b%b" % (len(name), -1 if said is None else len(text), name, text))
        state.update(value or b"")
    return state.digest()
