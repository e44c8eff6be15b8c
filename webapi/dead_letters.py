"""Dead letters: what could not be stored, why, and where it stood; newest first."""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec
from peewee import fn

from pipeline.models import DeadLetter, Stream
from pipeline.moment import rfc3339
from pipeline.storage import Store
from webapi.questions import DeadLettersQuestion

# Characters of a payload in a list; one letter by itself has all of it.
SHOWN: Final = 2_000
# Past so many the total is no more counted.
COUNTED: Final = 100_000

_COLUMNS: Final = (
    DeadLetter.id,
    DeadLetter.created_at,
    DeadLetter.reason,
    DeadLetter.detail,
    Stream.topic,
    DeadLetter.part,
    DeadLetter.offset,
    DeadLetter.line_index,
    DeadLetter.retried_at,
    fn.LENGTH(DeadLetter.payload),
)


class Page(msgspec.Struct, frozen=True):
    """Some letters; how many there are by reason, or at least are; and the id before which the next page begins."""

    letters: list[dict[str, Any]]
    by_reason: dict[str, int]
    exact: bool
    before: int | None


def page(store: Store, question: DeadLettersQuestion) -> Page:
    """The letters that a question asks for, of one snapshot. Raises Unavailable, TooSlow."""
    where = _where(question)

    def work() -> Page:
        below = () if question.before is None else (DeadLetter.id < question.before,)
        start = fn.SUBSTR(DeadLetter.payload, 1, 4 * SHOWN)
        rows = list(_letters(start).where(*where, *below).order_by(DeadLetter.id.desc()).limit(question.limit + 1))
        more, rows = len(rows) > question.limit, rows[: question.limit]
        by_reason = _counts(where)
        letters = [_told(row, SHOWN) for row in rows]
        return Page(letters, by_reason, sum(by_reason.values()) < COUNTED, rows[-1][0] if more else None)

    return store.read(work)


def letter(store: Store, id: int) -> dict[str, Any] | None:
    """One letter with the whole of its payload, also as base64; None where there is none. Raises Unavailable."""
    row = store.read(lambda: _letters(DeadLetter.payload).where(DeadLetter.id == id).first())
    return None if row is None else _told(row) | {"payload": base64.b64encode(bytes(row[-1] or b"")).decode()}


def counts(store: Store) -> dict[str, int]:
    """How many letters there are by reason, or of the newest COUNTED at least; the most first. Raises Unavailable."""
    return store.read(lambda: _counts([DeadLetter.id > 0]))


def _letters(payload: Any) -> Any:
    # What stream a letter came from is advice: one that is not known is no reason not to show it.
    return DeadLetter.select(*_COLUMNS, payload).left_outer_join(Stream, on=(Stream.id == DeadLetter.stream)).tuples()


def _where(question: DeadLettersQuestion) -> list[Any]:
    found = [DeadLetter.id > 0]
    if question.reason is not None:
        found.append(DeadLetter.reason == question.reason)
    if question.start is not None:
        found.append(DeadLetter.created_at >= question.start.replace(tzinfo=None))
    if question.end is not None:
        found.append(DeadLetter.created_at <= question.end.replace(tzinfo=None))
    return found


def _counts(where: list[Any]) -> dict[str, int]:
    newest = DeadLetter.select(DeadLetter.reason).where(*where).order_by(DeadLetter.id.desc()).limit(COUNTED)
    reason = newest.c.reason
    rows = DeadLetter.select(reason, fn.COUNT(reason)).from_(newest).group_by(reason).tuples()
    return dict(sorted(rows, key=lambda row: (-row[1], row[0])))


def _told(row: tuple[Any, ...], most: int | None = None) -> dict[str, Any]:
    id, created, reason, detail, topic, part, offset, line, retried, size, payload = row
    # A character that was cut in two at the end is not told as one that is wrong.
    text = bytes(payload or b"").decode(errors="replace")
    return {
        "id": id,
        "created_at": rfc3339(created),
        "reason": reason,
        "detail": detail,
        "topic": topic,
        "partition": part,
        "offset": offset,
        "line": line,
        "bytes": size,
        "text": text if most is None else text[:most],
        "is_whole": most is None or (len(text) <= most and size == len(payload or b"")),
        "retried_at": rfc3339(retried) if retried else None,
    }
