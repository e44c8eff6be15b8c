"""The table of API keys, and the loop that keeps a process's keyring as the table is."""

from __future__ import annotations

from datetime import datetime

import msgspec
import peewee
import structlog

from pipeline.errors import TooSlow, Unavailable
from pipeline.keyring import ApiKey as Key
from pipeline.keyring import Keyring, Uses, digest, minted
from pipeline.models import ApiKey
from pipeline.process import Loop
from pipeline.storage import Store

log = structlog.get_logger(__name__)

# A key that is revoked is refused after so many seconds at the latest, and the time that MySQL takes.
REFRESH_SECONDS = 2.0


class Listed(msgspec.Struct, frozen=True):
    """A key as it is shown: everything but its secret. Times are naive UTC."""

    public_id: str
    name: str
    scopes: str
    rate: int | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    uploads: int
    lines: int
    refusals: int


def create(store: Store, name: str, scopes: frozenset[str], rate: int | None) -> str:
    """Makes a key and returns it: the only time that its secret is seen."""
    public_id, key = minted()
    store.write(
        lambda: ApiKey.insert(
            public_id=public_id,
            digest=digest(key),
            name=name,
            scopes=",".join(sorted(scopes)),
            rate=rate,
            created_at=store.now(),
        ).execute()
    )
    return key


def listed(store: Store) -> list[Listed]:
    """All keys, the oldest first, revoked ones too."""
    columns = [getattr(ApiKey, name) for name in Listed.__struct_fields__]
    return [Listed(*row) for row in store.read(lambda: list(ApiKey.select(*columns).order_by(ApiKey.id).tuples()))]


def revoke(store: Store, public_id: str) -> bool:
    """Revokes a key for good; returns whether there is such a key. What was revoked keeps its time."""

    def work() -> bool:
        mine = ApiKey.public_id == public_id
        ApiKey.update(revoked_at=store.now()).where(mine, ApiKey.revoked_at.is_null()).execute()
        return bool(ApiKey.select().where(mine).exists())

    return store.write(work)


def keeping(store: Store, keyring: Keyring) -> Loop:
    """A loop that reads the keys that count, and adds up what was done with each."""
    return Loop("api keys", Keeping(store, keyring).step, REFRESH_SECONDS)


class Keeping:
    """One pass a step. While the database is away the keys that are known go on to count."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring
        self._is_away = False

    def step(self) -> bool:
        """Never raises for a database that is away or slow, or has no table of keys yet: the next pass comes."""
        try:
            self._keyring.replace(self._store.read(_current))
            self._note()
        except (Unavailable, TooSlow, peewee.DatabaseError) as error:
            if not self._is_away:
                log.warning("API keys stay as they were known", error=str(error))
            self._is_away = True
        else:
            self._is_away = False
        return False

    def _note(self) -> None:
        """Adds to the table what was done. Advice: where the answer to a COMMIT is lost, it may be added twice."""
        uses = self._keyring.drain()
        if not uses:
            return
        try:
            self._store.write(lambda: self._add(uses))
        except BaseException:
            for public_id, one in uses.items():
                self._keyring.used(public_id, one)
            raise

    def _add(self, uses: dict[str, Uses]) -> None:
        for public_id, one in sorted(uses.items()):
            ApiKey.update(
                uploads=ApiKey.uploads + one.uploads,
                lines=ApiKey.lines + one.lines,
                refusals=ApiKey.refusals + one.refusals,
                last_used_at=self._store.now(),
            ).where(ApiKey.public_id == public_id).execute()


def _current() -> list[Key]:
    rows = ApiKey.select(ApiKey.public_id, ApiKey.digest, ApiKey.scopes, ApiKey.rate)
    return [
        Key(public_id, bytes(kept), frozenset(scopes.split(",")), rate)
        for public_id, kept, scopes, rate in rows.where(ApiKey.revoked_at.is_null()).tuples()
    ]
