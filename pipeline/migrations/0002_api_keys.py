"""The table of API keys."""

from __future__ import annotations

from typing import Any

from peewee import Database

from pipeline.migrations import words

_TABLE = """
CREATE TABLE IF NOT EXISTS api_key (
    id {id},
    public_id CHAR(16) {ascii} NOT NULL UNIQUE,
    digest BINARY(32) NOT NULL,
    name VARCHAR(100) NOT NULL,
    scopes VARCHAR(50) {ascii} NOT NULL,
    rate INT,
    created_at DATETIME(6) NOT NULL,
    last_used_at DATETIME(6),
    revoked_at DATETIME(6),
    uploads BIGINT NOT NULL DEFAULT 0,
    `lines` BIGINT NOT NULL DEFAULT 0,
    refusals BIGINT NOT NULL DEFAULT 0
) {options}
"""


def up(migrator: Any, db: Database) -> None:
    """Makes the table."""
    db.execute_sql(_TABLE.format(**words(db)))


def down(migrator: Any, db: Database) -> None:
    """Drops it: all keys with it."""
    db.execute_sql("DROP TABLE api_key")
