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
    names = [_name(key) for key in keys]
    standing = _for_update(store, table, keys)
    if missing := [key for key, name in zip(keys, names, strict=True) if name not in standing]:
        zeros = (0,) * (len(deltas[0]) - table.key - 1)
        store.insert(table.model, [(*key, *zeros, b"") for key in missing], ignore=True)
        standing |= _for_update(store, table, missing)
    sketches = table.merge([(standing[name], row[-1]) for name, row in zip(names, deltas, strict=True)])
    merged = [
        (*row[:-1], sketch)
        for name, row, sketch in zip(names, deltas, sketches, strict=True)
        # Most visitors of a batch have been seen before in its hour and day: those sketches stay as they are.
        if table.add or sketch != standing[name]
    ]
    if merged:
        _write(store, table, merged)


def _write(store: Store, table: _Table, rows: Sequence[Row]) -> None:
    *_, sketch = fields = table.model._meta.sorted_fields
    if not store.is_mysql:
        store.upsert(table.model, rows, table.add, table.maximum, [sketch])
        return
    # Numbers, names of METHODS and hexadecimal digits: nothing to escape, which would cost more than the rest.
    literals = ["'{}'" if isinstance(value, str) else "{}" for value in rows[0][:-1]]
    row = f"({','.join(literals)},X'{{}}')".format
    values = ",".join(row(*rest, sketch.hex()) for *rest, sketch in rows)
    changes = (
        *(f"{name} = {name} + VALUES({name})" for name in _names(table.add)),
        *(f"{name} = GREATEST({name}, VALUES({name}))" for name in _names(table.maximum)),
        *(f"{name} = VALUES({name})" for name in _names([sketch])),
    )
    into = f"{table.model._meta.table_name} ({', '.join(_names(fields))})"
    store.execute(f"INSERT INTO {into} VALUES {values} ON DUPLICATE KEY UPDATE {', '.join(changes)}")


def _names(fields: Sequence[Field]) -> list[str]:
    return [field.column_name for field in fields]


def _name(key: Row) -> str:
    return " ".join(map(str, key))


def _for_update(store: Store, table: _Table, keys: Sequence[Row]) -> dict[str, bytes]:
    """The sketches that stand under these keys, which are sorted; a few more of the same buckets may come along."""
    fields = table.model._meta.sorted_fields
    *columns, sketch = _names([*fields[: table.key], fields[-1]])
    level, bucket, third, *_ = columns
    wanted = " OR ".join(
        f"({level} = {of} AND {bucket} IN ({_listed(rows, 1)}) AND {third} IN ({_listed(rows, 2)}))"
        for of, rows in ((of, list(rows)) for of, rows in groupby(keys, key=lambda key: key[0]))
    )
    # One text for a key: PyMySQL takes 4 µs to read a value, five times as often the longest part of a merge.
    name = "CONCAT(" + ", ' ', ".join(columns) + ")"
    query = f"SELECT {name}, {sketch} FROM {table.model._meta.table_name} WHERE {wanted} ORDER BY {', '.join(columns)}"
    rows = store.execute(query + (" FOR UPDATE" if store.is_mysql else "")).fetchall()
    return {name: bytes(sketch) for name, sketch in rows}


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
