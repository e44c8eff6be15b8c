"""Brings a database to the schema of this version."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peewee
from peewee import Database, MySQLDatabase
from playhouse.migrations import Runner

from pipeline.database import connectable
from pipeline.errors import Unavailable

_DIRECTORY = Path(__file__).with_name("migrations")
_LOCK = "tally_migrate"
# Asked for so often, so many seconds at a time: a connection waits for 30 s at the most for an answer.
_TRIES, _SECONDS = 6, 10


def migrate(database_url: str | None) -> list[str]:
    """Applies the migrations that are missing, oldest first, and returns their names.

    Safe to run twice, also at once: the second waits up to a minute for the first. Raises Unavailable when the
    database does not answer, or is being migrated for longer than that.
    """
    database = connectable(database_url)
    try:
        with database.connection_context(), _alone(database):
            return [str(name) for name in Runner(database, str(_DIRECTORY)).up()]
    except (peewee.OperationalError, peewee.InterfaceError) as error:
        raise Unavailable("database", error.args[-1] if error.args else error) from error


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    if isinstance(database, MySQLDatabase):
        asked = (database.execute_sql("SELECT GET_LOCK(%s, %s)", (_LOCK, _SECONDS)).fetchone() for _ in range(_TRIES))
        if not any(taken == 1 for (taken,) in asked):
            raise Unavailable("database", "another migration has been running for a minute")
        yield
        database.execute_sql("SELECT RELEASE_LOCK(%s)", (_LOCK,))
        return
    with Path(f"{database.database}.migrate").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
