"""Dead letters: what was rejected is kept, with reason and position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.batch import Record
from pipeline.models import DeadLetter
from pipeline.storage import Store
from tasks.frame import Rejected

# Dead letters a statement, and bytes of what they keep: escaped these may double, and MySQL takes 16 MiB.
CHUNK, CHUNK_BYTES = 1_000, 4 * 1024 * 1024


def bury(store: Store, stream: int, part: int, records: Sequence[Record], rejected: Sequence[Rejected]) -> None:
    """Keeps what was rejected of a batch's records, inside a transaction."""
    for chunk in _chunks(rejected):
        DeadLetter.insert_many(
            [
                {
                    "stream": stream,
                    "part": part,
                    "offset": records[one.record].offset,
                    "line_index": one.line,
                    "reason": one.reason,
                    "detail": one.detail,
                    "payload": one.payload,
                    "created_at": store.now(),
                }
                for one in chunk
            ]
        ).execute()


def _chunks(rejected: Sequence[Rejected]) -> Iterator[list[Rejected]]:
    chunk: list[Rejected] = []
    size = 0
    for one in rejected:
        size += len(one.payload)
        if chunk and (len(chunk) == CHUNK or size > CHUNK_BYTES):
            yield chunk
            chunk, size = [], len(one.payload)
        chunk.append(one)
    if chunk:
        yield chunk
