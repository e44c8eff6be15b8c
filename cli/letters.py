"""Dead letters, shown as the web API tells them, and read and deleted in the database itself."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec
from peewee import fn

from cli.ask import Query, WebApi, understood
from cli.table import Column, Paper, number, word
from pipeline.errors import TallyError
from pipeline.models import DeadLetter
from pipeline.moment import rfc3339
from pipeline.storage import Store

# Letters a statement: each may have 64 KiB.
CHUNK: Final = 100
_SHOWN: Final = 200

_COLUMNS: Final = (
    Column("id"),
    Column("created", right=False),
    Column("reason", right=False),
    Column("stood at", right=False),
    Column("retried", right=False),
    Column("why", right=False),
    Column("what came", right=False),
)


class Chosen(NamedTuple):
    """Which letters are meant: those of these ids, or of a reason, or all."""

    ids: tuple[int, ...] = ()
    reason: str | None = None

    def where(self) -> Any:
        """The condition."""
        if self.ids:
            return DeadLetter.id.in_(self.ids)
        return DeadLetter.reason == self.reason if self.reason else DeadLetter.id > 0


def show(web: WebApi, query: Query, as_json: bool, paper: Paper) -> int:
    """Shows a page of letters. Raises as `WebApi.get`."""
    body = web.get("/dead-letters", query)
    answer = understood(body, "data", "meta")
    if as_json:
        paper.json(body)
        return 0
    paper.table(_COLUMNS, [_row(letter) for letter in answer["data"]])
    meta = answer["meta"]
    least = "at least " if meta["total_is"] == "at_least" else ""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in meta["by_reason"].items())
    more = f"; --before {meta['next']} shows older ones" if meta["next"] else ""
    paper.say(f"{len(answer['data']):,} of {least}{meta['total']:,}" + (f" ({reasons})" if reasons else "") + more)
    return 0


def show_one(web: WebApi, letter: int, as_json: bool, paper: Paper) -> int:
    """Shows one letter. Raises as `WebApi.get`."""
    body = web.get(f"/dead-letters/{letter}", {})
    if as_json:
        paper.json(body)
        return 0
    found = understood(body, "data")["data"]
    columns = (Column("", right=False), Column("", right=False))
    paper.lines(([word(name), word("-" if value is None else value)] for name, value in found.items()), columns)
    return 0


def export(store: Store, chosen: Chosen, output: BinaryIO) -> int:
    """Writes letters as JSON, one a line, oldest first. Raises Unavailable, and TallyError where it cannot write."""
    for chunk in chunks(store, chosen):
        lines = b"".join(msgspec.json.encode(_told(letter)) + b"\n" for letter in chunk)
        try:
            output.write(lines)
            output.flush()
        except BrokenPipeError:
            raise  # whoever reads has seen enough
        except OSError as error:
            with suppress(OSError):
                output.close()  # else what is left in its buffer is tried once more, and fails where nobody looks
            raise TallyError(f"not all could be written: {error.strerror}") from None
    return 0


def chunks(store: Store, chosen: Chosen) -> Iterator[list[Any]]:
    """The letters that there are now, oldest first, some at a time. Raises Unavailable."""
    newest = store.read(lambda: DeadLetter.select(fn.MAX(DeadLetter.id)).scalar()) or 0
    last = 0
    while rows := store.read(lambda after=last: _between(chosen, after, newest)):  # type: ignore[misc]
        yield rows
        last = rows[-1].id


def ids(store: Store, chosen: Chosen) -> list[int]:
    """Those that there are now. Raises Unavailable."""
    return store.read(lambda: [id for (id,) in DeadLetter.select(DeadLetter.id).where(chosen.where()).tuples()])


def absent(store: Store, chosen: Chosen) -> list[int]:
    """The ids that were named and that no letter has, in their order. Raises Unavailable."""
    there = {*ids(store, chosen)} if chosen.ids else set()
    return [id for id in dict.fromkeys(chosen.ids) if id not in there]


def purge(store: Store, ids: Sequence[int]) -> int:
    """Deletes the letters of these ids, a chunk at a time, and returns how many there were. Raises Unavailable."""
    chunks = (ids[start : start + 10 * CHUNK] for start in range(0, len(ids), 10 * CHUNK))
    deleting = (DeadLetter.delete().where(DeadLetter.id.in_(chunk)) for chunk in chunks)
    return sum(store.write(lambda query=query: query.execute()) for query in deleting)  # type: ignore[misc]


def _between(chosen: Chosen, last: int, newest: int) -> list[Any]:
    ours = (chosen.where(), DeadLetter.id > last, DeadLetter.id <= newest)
    return list(DeadLetter.select().where(*ours).order_by(DeadLetter.id).limit(CHUNK))


def _told(letter: Any) -> dict[str, Any]:
    return {
        "id": letter.id,
        "created_at": rfc3339(letter.created_at),
        "stream": letter.stream,
        "partition": letter.part,
        "offset": letter.offset,
        "line": letter.line_index,
        "reason": letter.reason,
        "detail": letter.detail,
        "payload": base64.b64encode(bytes(letter.payload)).decode(),
        "retried_at": rfc3339(letter.retried_at) if letter.retried_at else None,
    }


def _row(letter: Mapping[str, Any]) -> list[Any]:
    line = "" if letter["line"] is None else f"/{letter['line']}"
    text = letter["text"]
    return [
        number(letter["id"]),
        word(letter["created_at"]),
        word(letter["reason"]),
        word(f"{letter['partition']}/{letter['offset']}{line}"),
        word(letter["retried_at"] or "-"),
        word(letter["detail"]),
        word(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"),
    ]
