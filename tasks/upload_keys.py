"""Upload keys: what a client sent twice, because it could not know better, counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pipeline import batch
from pipeline.batch import Range, Record
from pipeline.storage import Store

# Keys a statement.
CHUNK = 1_000


def identities(records: Sequence[Record]) -> dict[int, bytes]:
    """What the upload of each record with an `Idempotency-Key` is known by: 16 bytes over API key, key and body."""
    found = {}
    for number, record in enumerate(records):
        key = batch.header(record, "key")
        if key is not None:
            state = hashlib.blake2b(digest_size=16)
            for part in (batch.header(record, "api_key") or b"", key, record.value or b""):
                state.update(len(part).to_bytes(8))
                state.update(part)
            found[number] = state.digest()
    return found


def twins(store: Store, order: Range, stream: int, records: Sequence[Record], keys: dict[int, bytes]) -> list[int]:
    """The records whose upload another record already counts for, by number; `keys` are their `identities`.

    Inserts first and looks after, inside a transaction: two batches that looked first would both count. Where all were
    inserted, all are these records' own, and there is nothing to look at.
    """
    owners: dict[bytes, tuple[int, ...]] = {}
    wanted = sorted((identity, records[number].offset) for number, identity in keys.items())
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        mine = f"(%s, {stream}, {order.part}, {order.generation}, %s, {store.clock})"
        inserted = store.execute(
            f"INSERT {'' if store.is_mysql else 'OR '}IGNORE INTO upload_key"
            f" (identity, stream, part, generation, `offset`, received) VALUES {', '.join([mine] * len(chunk))}",
            [value for row in chunk for value in row],
        ).rowcount
        if inserted < len(chunk):
            found = store.execute(
                "SELECT identity, stream, part, generation, `offset` FROM upload_key"
                f" WHERE identity IN ({', '.join(['%s'] * len(chunk))})",
                [identity for identity, _ in chunk],
            )
            standing = {bytes(row[0]): row[1:] for row in found.fetchall()}
            owners |= {identity: standing[identity] for identity, _ in chunk}
    return [
        number
        for number, identity in keys.items()
        if identity in owners and owners[identity] != (stream, order.part, order.generation, records[number].offset)
    ]
