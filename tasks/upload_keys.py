"""Upload keys: what a client sent twice, because it could not know better, counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pipeline import uploads
from pipeline.batch import Range, Record
from pipeline.storage import Store
from tasks.frame import Place

# Keys a statement.
CHUNK = 1_000


def identities(records: Sequence[Record]) -> dict[Place, bytes]:
    """What each upload with an `Idempotency-Key` is known by: 16 bytes over API key, key and body."""
    found = {}
    for number, record in enumerate(records):
        for upload in uploads.held(record):
            if upload.key is None:
                continue
            state = hashlib.blake2b(digest_size=16)
            for part in (upload.api_key, upload.key, upload.body):
                state.update(len(part).to_bytes(8))
                state.update(part)
            found[Place(number, upload.line, upload.lines)] = state.digest()
    return found


def twins(store: Store, order: Range, stream: int, records: Sequence[Record], keys: dict[Place, bytes]) -> list[Place]:
    """The uploads that another one already counts for; `keys` are the records' `identities`.

    Inserts first and looks after, inside a transaction: two batches that looked first would both count. Where all were
    inserted, all are these records' own, and there is nothing to look at. A key's row names a record: of several of one
    identity in it, the first counts.
    """
    owners: dict[bytes, tuple[int, ...]] = {}
    firsts: dict[tuple[bytes, int], Place] = {}
    for place, identity in keys.items():
        firsts.setdefault((identity, records[place.record].offset), place)
    wanted = sorted(firsts)
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
        place
        for place, identity in keys.items()
        if firsts[identity, offset := records[place.record].offset] is not place
        or (identity in owners and owners[identity] != (stream, order.part, order.generation, offset))
    ]
