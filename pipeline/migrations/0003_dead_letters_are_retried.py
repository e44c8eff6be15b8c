"""When a dead letter was sent again."""

from __future__ import annotations

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:
    """Adds the column, unless an interrupted run has: DDL commits on MySQL."""
    if all(column.name != "retried_at" for column in db.get_columns("dead_letter")):
        db.execute_sql("ALTER TABLE dead_letter ADD COLUMN retried_at DATETIME(6)")


def down(migrator: Any, db: Database) -> None:
    """Drops it."""
    db.execute_sql("ALTER TABLE dead_letter DROP COLUMN retried_at")
