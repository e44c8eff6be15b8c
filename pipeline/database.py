"""The database that a URL names: MySQL or MariaDB, with sessions as the protocol needs them, or SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from peewee import Database, MySQLDatabase, SqliteDatabase

from pipeline.errors import ConfigurationError

# Idle sessions are ended by the server after 20 s, so that a frozen process cannot keep its locks.
WAIT_TIMEOUT = 20
_SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    f"SET SESSION wait_timeout = {WAIT_TIMEOUT}, innodb_lock_wait_timeout = 5, time_zone = '+00:00',"
    " sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
)


class _MySQL(MySQLDatabase):
    """MySQL or MariaDB; every new session is READ COMMITTED, in UTC, strict and short of patience."""

    def _connect(self) -> Any:
        connection = super()._connect()
        with connection.cursor() as cursor:
            for statement in _SESSION:
                cursor.execute(statement)
        return connection


def connectable(url: str | None) -> Database:
    """The Peewee database that `DATABASE_URL` names, not yet connected."""
    parts = urlsplit(url or "")
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        path = Path(unquote(parts.path[1:]))
        path.parent.mkdir(parents=True, exist_ok=True)
        pragmas = {"journal_mode": "wal", "synchronous": "normal", "busy_timeout": 10_000}
        return SqliteDatabase(str(path), pragmas=pragmas, autoconnect=False)
    if parts.scheme == "mysql" and parts.hostname and len(parts.path) > 1:
        return _MySQL(
            unquote(parts.path[1:]),
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            autoconnect=False,
            connect_timeout=5,
            read_timeout=30,
            write_timeout=30,
        )
    raise ConfigurationError(
        "DATABASE_URL: expected mysql://user:password@host:3306/name or sqlite:///path"
        + ("" if url else ", and it is not set")
    )
