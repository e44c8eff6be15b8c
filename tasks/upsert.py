"""Merges a batch's rollups into those that stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from peewee import Field, Model

from pipeline import histogram, visitors
from pipeline.models import RequestRollup, RouteRollup, VisitorRollup
from pipeline.storage import Store
from tasks.aggregate import Rollups

# Rows a statement: SQLite binds at most 32,766 parameters, and MariaDB takes 16 MiB at once, in which a sketch of
# visitors has up to 32 KiB.
CHUNK = 1_000
SKETCHES = 250

Row = tuple[Any, ...]
Merge = Callable[[Sequence[tuple[bytes, bytes]]], list[bytes]]


class _Table(NamedTuple):
    """A rollup: the last column of its rows is a sketch, which `merge` merges pair by pair."""

    model: type[Model]
    key: int  # how many columns
    merge: Merge
    add: Sequence[Field] = ()
    maximum: Sequence[Field] = ()
    chunk: int = CHUNK


def upsert(store: Store, rollups: Rollups) -> None:
    """Adds the counts and merges the sketches, in key order, inside a transaction; last in it, as the rows are hot."""
    for table, rows in zip(_TABLES, rollups, strict=True):
        for start in range(0, len(rows), table.chunk):
            _merge(store, table, rows[start : start + table.chunk])


def _merge(store: Store, table: _Table, deltas: Sequence[Row]) -> None:
    """Reads what stands for update, in key order, makes what is missing empty, and writes back the sums."""
    keys = [row[: table.key] for row in deltas]
    standing = _for_update(store, table, keys)
    if missing := [key for key in keys if key not in standing]:
        zeros = (0,) * (len(deltas[0]) - table.key - 1)
        store.insert(table.model, [(*key, *zeros, b"") for key in missing], ignore=True)
        standing |= _for_update(store, table, missing)
    sketches = table.merge([(standing[key], row[-1]) for key, row in zip(keys, deltas, strict=True)])
    merged = [(*row[:-1], sketch) for row, sketch in zip(deltas, sketches, strict=True)]
    _write(store, table, merged)


def _write(store: Store, table: _Table, rows: Sequence[Row]) -> None:
    *_, sketch = fields = table.model._meta.sorted_fields
    if not store.is_mysql:
        store.upsert(table.model, rows, table.add, table.maximum, [sketch])
        return
    # Numbers, names of METHODS and hexadecimal digits: nothing to escape, which would cost more than the rest.
    values = ",".join(f"({','.join(map(_literal, row))})" for row in rows)
    changes = (
        *(f"{name} = {name} + VALUES({name})" for name in _names(table.add)),
        *(f"{name} = GREATEST({name}, VALUES({name}))" for name in _names(table.maximum)),
        *(f"{name} = VALUES({name})" for name in _names([sketch])),
    )
    into = f"{table.model._meta.table_name} ({', '.join(_names(fields))})"
    store.execute(f"INSERT INTO {into} VALUES {values} ON DUPLICATE KEY UPDATE {', '.join(changes)}")


def _names(fields: Sequence[Field]) -> list[str]:
    return [field.column_name for field in fields]


def _literal(value: int | str | bytes) -> str:
    return f"X'{value.hex()}'" if isinstance(value, bytes) else f"'{value}'" if isinstance(value, str) else str(value)


def _for_update(store: Store, table: _Table, keys: Sequence[Row]) -> dict[Row, bytes]:
    """The sketches that stand under these keys, which are sorted; a few more of the same buckets may come along."""
    fields = table.model._meta.sorted_fields
    *columns, sketch = _names([*fields[: table.key], fields[-1]])
    level, bucket, third, *_ = columns
    wanted = " OR ".join(
        f"({level} = {of} AND {bucket} IN ({_listed(rows, 1)}) AND {third} IN ({_listed(rows, 2)}))"
        for of, rows in ((of, list(rows)) for of, rows in groupby(keys, key=lambda key: key[0]))
    )
    names = ", ".join(columns)
    query = f"SELECT {names}, {sketch} FROM {table.model._meta.table_name} WHERE {wanted} ORDER BY {names}"
    rows = store.execute(query + (" FOR UPDATE" if store.is_mysql else "")).fetchall()
    return {tuple(row[:-1]): bytes(row[-1]) for row in rows}


def _listed(keys: Sequence[Row], at: int) -> str:
    """The values, all numbers, of one column of a key."""
    return ", ".join(str(value) for value in sorted({int(key[at]) for key in keys}))


def _unions(pairs: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    # Most of a batch whose lines are old have a bucket to themselves, and a merge costs a register set.
    return [delta if standing == visitors.EMPTY else visitors.merge((standing, delta)) for standing, delta in pairs]


def _counted(model: type[Any], key: int) -> _Table:
    return _Table(model, key, histogram.merge, [model.requests, model.latency_sum], [model.latency_max])


_TABLES: Final = (
    _counted(RequestRollup, 5),
    _counted(RouteRollup, 5),
    _Table(VisitorRollup, 3, _unions, chunk=SKETCHES),
)
