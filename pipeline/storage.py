"""The store: connections of each thread's own, whole transactions retried, MySQL's clock as the protocol's."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import peewee
from peewee import SQL, Database, Field, Model, MySQLDatabase
from peewee import __exception_wrapper__ as _as_peewee
from pymysql.constants import ER

from pipeline.database import WAIT_TIMEOUT, connectable
from pipeline.errors import Refused, TooSlow, Unavailable
from pipeline.fields import UtcField
from pipeline.models import MODELS

T = TypeVar("T")

# Lock wait, deadlock, snapshot too old (MariaDB), server gone, connection lost: the transaction may be run again.
RETRIED = frozenset({1205, 1213, 1020, 2006, 2013})
# MariaDB, MySQL: a statement reached its time limit.
_TIMED_OUT = frozenset({1969, 3024})
# What says something of the server or the schema. The others are of the data, whose words they may repeat.
_OF_THE_SERVER = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError, peewee.ProgrammingError)
# A table that is not there: MySQL's number, and SQLite's words, which has no numbers.
_NO_TABLE, _NO_TABLE_WORDS = 1146, "no such table"
# What a person mends, and not another try. Writing failed, a disk, the memory or a table is full, a quota is used up,
# read-only by transaction; then a right, an account, a database, a table or a column that is not there, or no load is
# allowed.
_REFUSED = frozenset({3, 28, 1021, 1026, 1030, 1037, 1038, 1041, 1114, 1203, 1206, 1226, 1637, 1792}) | frozenset(
    {1044, 1045, 1049, 1054, 1142, 1143, _NO_TABLE, 1148, 1227, 1698, 1820, 3118, 4151, 4166}
)
# The same in SQLite's words.
_REFUSED_WORDS = ("is full", "disk I/O error", "readonly database", "unable to open", _NO_TABLE_WORDS, "no such column")
# Seconds; a connection that idled for longer the server may be about to end.
_IDLE_LIMIT = WAIT_TIMEOUT - 5.0
# Values a statement; SQLite binds at most 32,766.
_PARAMETERS = 10_000


class Store:
    """A database and its transactions.

    Threads may share a store; each has connections of its own, opened when first used. An exception inside a
    transaction closes them, whatever it was: nothing half done is ever found by the next one.
    """

    def __init__(self, database: Database, beside: Database) -> None:
        """`beside` is the same database again, with other connections."""
        self.database = database
        self.beside = beside
        self.is_mysql = isinstance(database, MySQLDatabase)
        self._used = {one: threading.local() for one in (database, beside)}
        database.bind(MODELS)

    @classmethod
    def open(cls, url: str | None, seconds: float | None = None) -> Store:
        """A store at `mysql://user:password@host:port/name` or `sqlite:///path`; nothing is connected yet.

        With `seconds`, a SELECT that takes longer raises TooSlow. Raises ConfigurationError when the URL is neither.
        """
        return cls(connectable(url, seconds), connectable(url, seconds))

    def write(self, work: Callable[[], T], tries: int = 6) -> T:
        """Runs `work` in one transaction and returns what it returns, once that is committed.

        Run again from the start after a deadlock, a lock wait or a lost connection: `work` must not keep state.
        Raises Unavailable when the database does not answer, Refused where only a person can help, and whatever else
        `work` raises.
        """
        return self._transact(work, tries, () if self.is_mysql else ("IMMEDIATE",))

    def read(self, work: Callable[[], T], tries: int = 3) -> T:
        """Runs the queries of `work` against one snapshot and returns what it returns; raises as `write` does."""
        return self._transact(work, tries, ("REPEATABLE READ",) if self.is_mysql else ())

    def ago(self, seconds: float) -> Any:
        """The time `seconds` before now as an SQL expression: MySQL's clock; SQLite has none, so this process's."""
        if self.is_mysql:
            return SQL("(UTC_TIMESTAMP(6) - INTERVAL %s MICROSECOND)", (int(seconds * 1_000_000),))
        return f"{datetime.now(UTC) - timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S.%f}"

    def now(self) -> Any:
        """The protocol's present, as an SQL expression."""
        return self.ago(0)

    @property
    def clock(self) -> str:
        """The protocol's present as SQL text."""
        return "UTC_TIMESTAMP(6)" if self.is_mysql else f"'{self.ago(0)}'"

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> Any:
        """Runs one statement inside a transaction of `write` or `read` and returns its cursor.

        Parameters stand as `%s` in it. For what every batch does: Peewee takes longer to build such statements than
        the database to run them.
        """
        return self.database.execute_sql(sql if self.is_mysql else sql.replace("%s", "?"), parameters)

    def at_once(self, sql: str, parameters: Sequence[Any]) -> Any:
        """Runs one statement, in a session beside a transaction or without one, and returns its cursor: it is
        committed, whatever becomes of the transaction. Raises what Peewee does, for `write` to deal with.
        """
        self._connect(self.beside)
        cursor = self.beside.execute_sql(sql, parameters)
        self._used[self.beside].at = time.monotonic()
        return cursor

    def load(self, sql: str, rows: bytes, length: int) -> None:
        """Executes a LOAD DATA LOCAL INFILE of MariaDB's with these rows, so many, inside a transaction of `write`.

        Raises peewee.DataError with what MariaDB has against them, where it did not take all of them as they are: of
        what is no value of its column it makes another, and only warns.
        """
        with _as_peewee:
            taken, warnings = self.database.connection().load(sql, rows)
        if warnings:
            raise peewee.DataError(*self.execute("SHOW WARNINGS LIMIT 1").fetchone()[1:])
        if taken != length:
            # Of a field with the end of a line in it there could be two whole rows, and no warning.
            raise peewee.DataError(ER.WARN_TOO_MANY_RECORDS, f"{length} rows were sent, and {taken} taken")

    def insert(self, model: type[Model], rows: Sequence[Sequence[Any]], ignore: bool = False) -> None:
        """Inserts rows, given in the order of the model's fields; with `ignore`, where their key is not there yet."""
        verb = "INSERT" if not ignore else "INSERT IGNORE" if self.is_mysql else "INSERT OR IGNORE"
        self._insert(verb, model, rows, "")

    def upsert(
        self,
        model: type[Model],
        rows: Sequence[Sequence[Any]],
        add: Sequence[Field] = (),
        maximum: Sequence[Field] = (),
        replace: Sequence[Field] = (),
        minimum: Sequence[Field] = (),
    ) -> None:
        """Inserts rows, given in the order of the model's fields; where the key stands already, each named column is
        added to, raised to, replaced by, or lowered to what is new.
        """
        # MySQL deprecates VALUES(), but MariaDB knows nothing else.
        new = "VALUES({0})" if self.is_mysql else "EXCLUDED.{0}"
        greatest, least = ("GREATEST", "LEAST") if self.is_mysql else ("MAX", "MIN")
        how = (
            *((field, "{0} = {0} + " + new) for field in add),
            *((field, "{0} = " + greatest + "({0}, " + new + ")") for field in maximum),
            *((field, "{0} = " + least + "({0}, " + new + ")") for field in minimum),
            *((field, "{0} = " + new) for field in replace),
        )
        keys = ", ".join(field.column_name for field in model._meta.get_primary_keys())
        conflict = "ON DUPLICATE KEY UPDATE" if self.is_mysql else f"ON CONFLICT ({keys}) DO UPDATE SET"
        changes = ", ".join(change.format(field.column_name) for field, change in how)
        self._insert("INSERT", model, rows, f" {conflict} {changes}")

    def _insert(self, verb: str, model: type[Model], rows: Sequence[Sequence[Any]], rest: str) -> None:
        columns = ", ".join(f"`{field.column_name}`" for field in model._meta.sorted_fields)
        width = len(model._meta.sorted_fields)
        row, step = f"({', '.join(['%s'] * width)})", _PARAMETERS // width
        for chunk in (rows[start : start + step] for start in range(0, len(rows), step)):
            values = ", ".join([row] * len(chunk))
            parameters = [value for row in chunk for value in row]
            for at, field in enumerate(model._meta.sorted_fields):
                if isinstance(field, UtcField):
                    parameters[at::width] = map(field.db_value, parameters[at::width])
            self.execute(f"{verb} INTO {model._meta.table_name} ({columns}) VALUES {values}{rest}", parameters)

    def check(self) -> None:
        """Raises Unavailable unless the database answers a query. Leaves no connection behind: its thread may end."""
        try:
            self.read(lambda: self.execute("SELECT 1").fetchone(), tries=1)
        finally:
            self.disconnect()

    def disconnect(self) -> None:
        """Closes this thread's connections."""
        for database in self._used:
            _close(database)

    def _transact(self, work: Callable[[], T], tries: int, begin: tuple[str, ...]) -> T:
        for attempt in range(1, tries + 1):
            try:
                self._connect(self.database)
                with self.database.atomic(*begin):
                    result = work()
                self._used[self.database].at = time.monotonic()
                return result
            except _OF_THE_SERVER as last:
                self.disconnect()
                error = _first(last)
                if error_code(error) in _TIMED_OUT or "interrupted" in str(error):
                    raise TooSlow(self.database.seconds or 0) from error
                if _refused(error):
                    raise Refused("database", _said(error)) from error
                if not _transient(error):
                    raise
                if attempt == tries:
                    raise Unavailable("database", _said(error)) from error
            except BaseException:
                self.disconnect()
                raise
            time.sleep(random.uniform(0.5, 1.0) * min(0.02 * 2**attempt, 0.5))
        raise AssertionError("unreachable")

    def _connect(self, database: Database) -> None:
        if not database.is_closed():
            if time.monotonic() - getattr(self._used[database], "at", 0.0) < _IDLE_LIMIT:
                return
            _close(database)
        try:
            database.connect()
        except peewee.OperationalError as error:
            if _transient(error):
                raise
            # A login or a name that is refused: nothing to try again, and nothing that a traceback would explain.
            raise Refused("database", _said(error)) from error


def _close(database: Database) -> None:
    # A connection that breaks while it is being closed is closed.
    with suppress(peewee.PeeweeException, OSError):
        database.close()


def error_code(error: BaseException) -> int:
    """MySQL's number of an error, 0 when it has none."""
    code = error.args[0] if error.args else 0
    return code if isinstance(code, int) else 0


def _first(error: BaseException) -> BaseException:
    """What went wrong first: SQLite rolls back by itself where its disk is full, and Peewee's own rollback fails."""
    while "no transaction is active" in str(error) and error.__context__ is not None:
        error = error.__context__
    return error


def _transient(error: BaseException) -> bool:
    code = error_code(error)
    if isinstance(error, peewee.InterfaceError) or code in RETRIED or 2000 <= code < 3000:
        return True
    # Too many connections, a server that is shutting down, read-only after a failover, a session ended by the server.
    return code in {1040, 1053, 1290, 1836, 1927, 3169, 4031} or "database is locked" in str(error)


def _refused(error: BaseException) -> bool:
    code = error_code(error)
    return code in _REFUSED or (not code and any(words in str(error) for words in _REFUSED_WORDS))


def _said(error: BaseException) -> str:
    said = str(error.args[-1]) if error.args else type(error).__name__
    has_no_table = error_code(error) == _NO_TABLE or said.startswith(_NO_TABLE_WORDS)
    return f"{said}; `tally migrate` makes the tables" if has_no_table else said
