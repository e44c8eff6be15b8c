"""The database that a URL names: MySQL or MariaDB, with sessions as the protocol needs them, or SQLite."""

from __future__ import annotations

import math
import socket
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from peewee import Database, MySQLDatabase, SqliteDatabase
from pymysql.connections import Connection
from pymysql.constants import CLIENT, COMMAND, FIELD_TYPE
from pymysql.converters import conversions
from pymysql.protocol import LoadLocalPacketWrapper, OKPacketWrapper

from pipeline import server_url
from pipeline.errors import ConfigurationError

# Idle sessions are ended by the server after 20 s, so that a frozen process cannot keep its locks.
WAIT_TIMEOUT = 20
# Bytes that one group's histograms may come to; well below what any server sends at once.
_CONCATENATED = 8 * 1024 * 1024
# Bytes of a load's rows that are sent at once.
_PACKET = 256 * 1024
_SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    f"SET SESSION wait_timeout = {WAIT_TIMEOUT}, innodb_lock_wait_timeout = 5, time_zone = '+00:00',"
    # For the rest of a load MariaDB waits twice as long.
    f" net_read_timeout = {WAIT_TIMEOUT // 2},"
    f" group_concat_max_len = {_CONCATENATED}, max_error_count = 64,"
    " sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
)
# What MySQL calls decimal are our sums of whole numbers: a Decimal costs as much as the rest of its row.
_AS_PYTHON = {**conversions, FIELD_TYPE.NEWDECIMAL: int}


class _Connection(Connection):
    """A connection whose server may ask for the rows of a `load`, and never for a file."""

    def load(self, sql: str, rows: bytes) -> tuple[int, int]:
        """Executes a LOAD DATA LOCAL INFILE, whatever file it names, with `rows` as what is in it.

        Returns how many rows were taken, and how many warnings there are.
        """
        wire: Any = self  # the stubs know nothing of what PyMySQL itself speaks to a server with
        wire._execute_command(COMMAND.COM_QUERY, sql)
        LoadLocalPacketWrapper(wire._read_packet())  # ValueError where the server asks for nothing
        for start in range(0, len(rows), _PACKET):
            wire.write_packet(rows[start : start + _PACKET])
        wire.write_packet(b"")
        answer = OKPacketWrapper(wire._read_packet())
        return answer.affected_rows, answer.warning_count


class _MySQL(MySQLDatabase):
    """MySQL or MariaDB; every new session is READ COMMITTED, in UTC, strict and short of patience."""

    seconds: float | None = None  # that a SELECT may take

    def _connect(self) -> Any:
        # As Peewee's own does, which lets nobody choose the class.
        connection: Any = _Connection(database=self.database, autocommit=True, **self.connect_params)
        with connection.cursor() as cursor:
            for statement in _SESSION:
                cursor.execute(statement)
            if self.seconds:
                # What MariaDB takes in seconds, MySQL takes in milliseconds.
                is_mariadb = "MariaDB" in connection.get_server_info()
                name, unit = ("max_statement_time", 1) if is_mariadb else ("max_execution_time", 1000)
                cursor.execute(f"SET SESSION {name} = {self.seconds * unit:g}")
        return connection


class _SQLite(SqliteDatabase):
    """SQLite, with a few of MySQL's functions, and statements that end in time."""

    seconds: float | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._until = threading.local()
        self.register_function(_packed, "INET6_ATON", 1)
        self.register_function(lambda number, by: number % by, "MOD", 2)
        self.register_function(lambda *parts: "".join(map(str, parts)), "CONCAT", -1)
        self.register_aggregate(_Concatenated, "CONCATENATED", 1)

    def _add_conn_hooks(self, conn: Any) -> None:
        super()._add_conn_hooks(conn)
        if self.seconds:
            conn.set_progress_handler(self._is_late, 10_000)

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        self._until.at = time.monotonic() + (self.seconds or 0)
        return super().execute_sql(sql, params)

    def _is_late(self) -> bool:
        return time.monotonic() > getattr(self._until, "at", math.inf)


class _Concatenated:
    """What GROUP_CONCAT does, which SQLite's does to texts only."""

    def __init__(self) -> None:
        self._blobs: list[bytes] = []

    def step(self, blob: bytes) -> None:
        self._blobs.append(blob)

    def finalize(self) -> bytes:
        return b"".join(self._blobs)


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def fetched(query: Any) -> list[Any]:
    """All rows of a Peewee query as the driver gives them: of thousands, Peewee's own look at each costs as much again.

    Within a connection.
    """
    return list(query._database.execute(query).fetchall())


def connectable(url: str | None, seconds: float | None = None) -> Database:
    """The Peewee database that `DATABASE_URL` names, not yet connected; with `seconds`, no SELECT takes longer."""
    database = _named(url)
    database.seconds = seconds
    return database


def _named(url: str | None) -> _MySQL | _SQLite:
    parts = server_url.split("DATABASE_URL", url or "")
    if parts.query or parts.fragment:
        # Passed over, an option such as a certificate would be one that somebody relies on.
        raise ConfigurationError("DATABASE_URL: it takes no options after the database's name")
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        path = Path(unquote(parts.path[1:]))
        path.parent.mkdir(parents=True, exist_ok=True)
        pragmas = {"journal_mode": "wal", "synchronous": "normal", "busy_timeout": 10_000}
        return _SQLite(str(path), pragmas=pragmas, autoconnect=False)
    if parts.scheme == "mysql" and parts.hostname and len(parts.path) > 1:
        return _MySQL(
            unquote(parts.path[1:]),
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            autoconnect=False,
            conv=_AS_PYTHON,
            # A server may ask for a load's rows. PyMySQL's own `local_infile` stays off: it would send any file.
            client_flag=CLIENT.LOCAL_FILES,
            connect_timeout=5,
            read_timeout=30,
            write_timeout=30,
        )
    raise ConfigurationError(
        "DATABASE_URL: expected mysql://user:password@host:3306/name or sqlite:///path"
        + ("" if url else ", and it is not set")
    )
