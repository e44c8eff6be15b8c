"""Where the ids of `log_entries` come from: MariaDB's own numbering lets one load at a time, and leaves gaps.

MariaDB does it at once; MySQL may copy the table.
"""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase

_TABLE = "CREATE TABLE IF NOT EXISTS log_id (one INT NOT NULL PRIMARY KEY, next BIGINT NOT NULL) ENGINE=InnoDB"
_FIRST = "INSERT IGNORE INTO log_id SELECT 1, COALESCE(MAX(id), 0) + 1 FROM log_entries"


def up(migrator: Any, db: Database) -> None:
    """Makes the counter, and then has nothing else number rows. SQLite, which has one writer, goes on as it is."""
    if isinstance(db, MySQLDatabase):
        db.execute_sql("ALTER TABLE log_entries MODIFY id BIGINT NOT NULL")
        db.execute_sql(_TABLE)
        db.execute_sql(_FIRST)


def down(migrator: Any, db: Database) -> None:
    """Has MySQL number rows again."""
    if isinstance(db, MySQLDatabase):
        db.execute_sql("DROP TABLE IF EXISTS log_id")
        db.execute_sql("ALTER TABLE log_entries MODIFY id BIGINT NOT NULL AUTO_INCREMENT")
