"""Keys in the database, and a process's keyring that follows it."""

from __future__ import annotations

import pytest

from pipeline import api_keys
from pipeline.errors import Denied
from pipeline.keyring import Keyring, Uses
from pipeline.storage import Store
from tests.stores import database, store

__all__ = ["database", "store"]


def test_a_key_counts_from_when_it_is_made_until_it_is_revoked(store: Store) -> None:
    keyring = Keyring()
    step = api_keys.keeping(store, keyring).step
    key = api_keys.create(store, "shop", frozenset(["read", "ingest"]), 5)
    step()
    public_id = keyring.admit(f"Bearer {key}", "ingest")
    assert api_keys.revoke(store, public_id)
    revoked = api_keys.listed(store)[0].revoked_at
    step()
    with pytest.raises(Denied):
        keyring.admit(f"Bearer {key}", "ingest")
    # A key that is revoked again was revoked when it was.
    assert api_keys.revoke(store, public_id)
    assert api_keys.listed(store)[0].revoked_at == revoked is not None
    assert not api_keys.revoke(store, "0" * 16)


def test_nothing_of_its_secret_is_kept(store: Store) -> None:
    key = api_keys.create(store, "shop", frozenset(["ingest"]), None)
    secret = key.rpartition("_")[2]
    (row,) = store.read(lambda: store.execute("SELECT * FROM api_key").fetchall())
    assert secret not in repr(row)
    assert bytes.fromhex(secret) not in [bytes(value) for value in row if isinstance(value, bytes)]


def test_what_is_done_with_keys_adds_up(store: Store) -> None:
    one, other = (api_keys.create(store, name, frozenset(["ingest"]), None) for name in ("one", "other"))
    keyrings = [Keyring(), Keyring()]
    steps = [api_keys.keeping(store, keyring).step for keyring in keyrings]
    for step in steps:
        step()
    for keyring in keyrings:
        keyring.used(keyring.admit(f"Bearer {one}", "ingest"), Uses(uploads=1, lines=10))
        with pytest.raises(Denied):
            keyring.admit(f"Bearer {other}", "read")
    for step in (*steps, *steps):
        step()
    found = api_keys.listed(store)
    assert [(key.name, key.uploads, key.lines, key.refusals) for key in found] == [
        ("one", 2, 20, 0),
        ("other", 0, 0, 2),
    ]
    assert all(key.last_used_at is not None and key.last_used_at >= key.created_at for key in found)


def test_while_the_database_is_away_known_keys_count_and_what_is_done_is_kept(store: Store) -> None:
    key = api_keys.create(store, "shop", frozenset(["ingest"]), None)
    keyring = Keyring()
    step = api_keys.keeping(store, keyring).step
    step()
    away = api_keys.keeping(Store.open("mysql://tally:tally@127.0.0.1:1/nowhere"), keyring).step
    keyring.used(keyring.admit(f"Bearer {key}", "ingest"), Uses(uploads=1, lines=3))
    assert away() is False
    keyring.used(keyring.admit(f"Bearer {key}", "ingest"), Uses(uploads=1, lines=4))
    # (What was opened last is what the models are bound to.)
    step = api_keys.keeping(Store(store.database, store.beside), keyring).step
    step()
    assert [(one.uploads, one.lines) for one in api_keys.listed(store)] == [(2, 7)]


def test_a_database_that_is_not_migrated_yet_is_waited_for(store: Store) -> None:
    keyring = Keyring()
    store.write(lambda: store.execute("ALTER TABLE api_key RENAME TO elsewhere"))
    try:
        assert api_keys.keeping(store, keyring).step() is False
        assert not keyring.drain()
    finally:
        store.write(lambda: store.execute("ALTER TABLE elsewhere RENAME TO api_key"))
    api_keys.keeping(store, keyring).step()
    keyring.require_known()
