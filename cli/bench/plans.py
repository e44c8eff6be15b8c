"""What the database does for each kind of request: every SELECT of it, explained."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from cli.bench.kinds import Kind
from pipeline.cache import Cache
from pipeline.storage import Store
from webapi.app import compose
from webapi.metrics import Metrics

# Rows past which reading a whole table or index is worth a word.
_MANY = 1_000
_ALIAS = re.compile(r"[`\"](\w+)[`\"] AS [`\"](\w+)[`\"]")


class Plan(msgspec.Struct, frozen=True):
    """How a table is read for a SELECT: `how` is MySQL's access type or SQLite's words; `rows` its estimate, or 0."""

    select: str
    table: str
    how: str
    key: str
    rows: int
    whole: bool


def explained(store: Store, cache: Cache, flush: Callable[[], Any], kinds: Sequence[Kind]) -> dict[str, list[Plan]]:
    """The plans of each kind's SELECTs, by its name, asked of the web API's own application, without a cache."""
    client = compose(store, cache, Metrics(), lambda: datetime.now(UTC)).test_client()
    found: dict[str, list[Plan]] = {}
    for kind in kinds:
        flush()
        with _recorded(store) as selects:
            client.get(kind.path).get_data()
        # A scan asks the same for many pieces: one stands for them.
        alike = {re.sub(r"[0-9]+", "?", sql): (sql, parameters) for sql, parameters in reversed(selects)}
        found[kind.name] = [
            plan
            for sql, parameters in reversed(alike.values())
            for plan in store.read(partial(_explain, store, sql, parameters))
        ]
    store.disconnect()
    return found


@contextmanager
def _recorded(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """The SELECTs, and their parameters, that are run inside."""
    selects: list[tuple[str, Any]] = []
    run = store.database.execute_sql

    def record(sql: str, params: Any = None) -> Any:
        if sql.lstrip().upper().startswith("SELECT"):
            selects.append((sql, params))
        return run(sql, params)

    store.database.execute_sql = record
    try:
        yield selects
    finally:
        del store.database.execute_sql


def _explain(store: Store, sql: str, parameters: Any) -> list[Plan]:
    shown, found = " ".join(sql.split()), []
    names = {alias: table for table, alias in _ALIAS.findall(sql)}
    if not store.is_mysql:
        for *_, detail in store.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall():
            verb, _, rest = detail.partition(" ")
            if verb in ("SCAN", "SEARCH") and rest != "CONSTANT ROW":
                alias, _, key = rest.partition(" USING ")
                table = names.get(alias, alias)
                found.append(Plan(shown, table, verb, key, 0, verb == "SCAN" and _is_large(store, table)))
        return found
    for row in store.execute(f"EXPLAIN {sql}", parameters).fetchall():
        # id, select_type, table, type, possible_keys, key, key_len, ref, rows, Extra
        if row[2]:
            table, how, rows = names.get(row[2], row[2]), row[3], int(row[8] or 0)
            found.append(Plan(shown, table, how, row[5] or "", rows, how in ("ALL", "index") and rows > _MANY))
    return found


def _is_large(store: Store, table: str) -> bool:
    return table.isidentifier() and bool(store.execute(f"SELECT 1 FROM {table} LIMIT 1 OFFSET {_MANY}").fetchone())
