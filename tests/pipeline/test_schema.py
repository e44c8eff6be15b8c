"""Migrations: safe to repeat, to run twice at once, and to interrupt."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline import schema
from pipeline.errors import Unavailable
from pipeline.models import MODELS
from pipeline.storage import Store
from tests.servers import Backend

EVERY = ["0001_initial", "0002_api_keys", "0003_dead_letters_are_retried", "0004_rows_are_numbered_by_us"]


def tables(url: str) -> set[str]:
    store = Store.open(url)
    try:
        return set(store.read(store.database.get_tables))
    finally:
        store.disconnect()


def indexes(url: str) -> dict[str, set[tuple[str, ...]]]:
    store = Store.open(url)
    try:
        names = [model._meta.table_name for model in MODELS]
        return store.read(
            lambda: {name: {tuple(index.columns) for index in store.database.get_indexes(name)} for name in names}
        )
    finally:
        store.disconnect()


def test_a_new_database_gets_every_table_and_a_second_run_has_nothing_to_do(backend: Backend) -> None:
    url = backend.new_database()
    assert schema.migrate(url) == EVERY
    assert {model._meta.table_name for model in MODELS} <= tables(url)
    assert schema.migrate(url) == []


def test_the_tables_are_what_the_models_say(backend: Backend) -> None:
    url = backend.new_database()
    schema.migrate(url)
    store = Store.open(url)
    for model in MODELS:
        found = store.read(
            lambda model=model: {c.name: c.null for c in store.database.get_columns(model._meta.table_name)}
        )
        assert found == {field.column_name: field.null for field in model._meta.sorted_fields}
    store.disconnect()
    assert ("state", "stream", "part", "first") in indexes(url)["batch"]
    assert ("stream", "part", "generation", "first") in indexes(url)["batch"]
    assert indexes(url)["log_entries"] - {("id",)} == {("status",), ("route",)}


def test_two_runs_at_once_apply_each_migration_once(backend: Backend) -> None:
    url = backend.new_database()
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda: applied.append(schema.migrate(url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied, key=len) == [[], [], EVERY]


@pytest.mark.real_only
@pytest.mark.parametrize("left", ["stream", "upload_key"])
def test_a_first_run_that_was_interrupted_is_finished_by_the_next(backend: Backend, left: str) -> None:
    # DDL commits on MySQL: what was made stays, and the run is not noted as applied.
    whole, url = backend.new_database(), backend.new_database()
    schema.migrate(whole)
    schema.migrate(url)
    store = Store.open(url)
    later = [name for name in tables(url) if name not in {"stream", left}]
    store = Store.open(url)
    store.write(lambda: [store.execute(f"DROP TABLE `{name}`") for name in later])
    if left == "upload_key":
        store.write(lambda: store.execute("DROP INDEX upload_key_received ON upload_key"))
    store.disconnect()
    assert schema.migrate(url) == EVERY
    assert indexes(url) == indexes(whole)


@pytest.mark.real_only
def test_a_migration_waits_for_another_for_longer_than_one_answer_may_take(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = backend.new_database()
    holder = Store.open(url)
    holder.database.connect()
    holder.execute(f"SELECT GET_LOCK('{schema._LOCK}', 1)")
    connect = schema.connectable

    def impatient(database_url: str | None) -> object:
        database = connect(database_url)
        database.connect_params["read_timeout"] = 2
        return database

    monkeypatch.setattr(schema, "connectable", impatient)
    monkeypatch.setattr(schema, "_SECONDS", 1)
    applied: list[list[str]] = []
    migration = threading.Thread(target=lambda: applied.append(schema.migrate(url)))
    migration.start()
    time.sleep(3.0)
    holder.disconnect()
    migration.join()
    assert applied == [EVERY]


@pytest.mark.real_only
def test_a_migration_gives_up_on_one_that_does_not_end(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    url = backend.new_database()
    holder = Store.open(url)
    holder.database.connect()
    holder.execute(f"SELECT GET_LOCK('{schema._LOCK}', 1)")
    monkeypatch.setattr(schema, "_SECONDS", 0)
    with pytest.raises(Unavailable, match="another migration"):
        schema.migrate(url)
    holder.disconnect()


@pytest.mark.real_only
def test_a_database_that_is_away_is_named(backend: Backend) -> None:
    url = backend.new_database()
    backend.servers["database"].kill()
    with pytest.raises(Unavailable, match="database"):
        schema.migrate(url)
