"""One module a migration, applied in the order of their names; the words in which the two stores' DDL differs."""

from __future__ import annotations

from collections.abc import Mapping

from peewee import Database, MySQLDatabase

_MYSQL = {
    "id": "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
    "ascii": "CHARACTER SET ascii COLLATE ascii_bin",
    "text": "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "options": "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
}
_SQLITE = {"id": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "ascii": "", "text": "", "options": ""}


def words(database: Database) -> Mapping[str, str]:
    """What stands for `{id}`, `{ascii}`, `{text}` and `{options}` in a statement."""
    return _MYSQL if isinstance(database, MySQLDatabase) else _SQLITE
