"""Every table of the first version, in the SQL of both stores."""

from __future__ import annotations

import re
from typing import Any

from peewee import Database

from pipeline.migrations import words

_TABLES = """
CREATE TABLE IF NOT EXISTS stream (
    id {id},
    cluster_id VARCHAR(64) {ascii} NOT NULL,
    topic VARCHAR(249) {ascii} NOT NULL,
    topic_id VARCHAR(36) {ascii} NOT NULL,
    state CHAR(7) {ascii} NOT NULL,
    UNIQUE (cluster_id, topic, topic_id)
) {options};
CREATE TABLE IF NOT EXISTS progress (
    stream BIGINT NOT NULL,
    part INT NOT NULL,
    generation INT NOT NULL,
    next_plan BIGINT NOT NULL,
    end_offset BIGINT NOT NULL,
    seen_at DATETIME(6) NOT NULL,
    mark_offset BIGINT,
    mark_epoch INT,
    mark_time BIGINT,
    mark_crc BIGINT,
    PRIMARY KEY (stream, part)
) {options};
CREATE TABLE IF NOT EXISTS batch (
    id {id},
    stream BIGINT NOT NULL,
    part INT NOT NULL,
    generation INT NOT NULL,
    first BIGINT NOT NULL,
    next BIGINT NOT NULL,
    `lines` BIGINT NOT NULL,
    digest BINARY(16) NOT NULL,
    state CHAR(7) {ascii} NOT NULL,
    attempts INT NOT NULL DEFAULT 0,
    oldest_at DATETIME(6) NOT NULL,
    planned_at DATETIME(6) NOT NULL,
    dispatched_at DATETIME(6) NOT NULL,
    done_at DATETIME(6),
    stored BIGINT NOT NULL DEFAULT 0,
    discarded BIGINT NOT NULL DEFAULT 0,
    rejected BIGINT NOT NULL DEFAULT 0,
    duplicate BIGINT NOT NULL DEFAULT 0,
    UNIQUE (stream, part, generation, first)
) {options};
CREATE INDEX batch_state ON batch (state, stream, part, first);
CREATE INDEX batch_planned_at ON batch (planned_at);
CREATE TABLE IF NOT EXISTS upload_key (
    identity BINARY(16) NOT NULL PRIMARY KEY,
    stream BIGINT NOT NULL,
    part INT NOT NULL,
    generation INT NOT NULL,
    `offset` BIGINT NOT NULL,
    received DATETIME(6) NOT NULL
) {options};
CREATE INDEX upload_key_received ON upload_key (received);
CREATE TABLE IF NOT EXISTS dead_letter (
    id {id},
    stream BIGINT NOT NULL,
    part INT NOT NULL,
    `offset` BIGINT NOT NULL,
    line_index INT,
    reason VARCHAR(32) {ascii} NOT NULL,
    detail TEXT {text} NOT NULL,
    payload MEDIUMBLOB NOT NULL,
    created_at DATETIME(6) NOT NULL
) {options};
CREATE INDEX dead_letter_created_at ON dead_letter (created_at);
CREATE TABLE IF NOT EXISTS ledger (
    minute DATETIME(6) NOT NULL PRIMARY KEY,
    received BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    discarded BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    lost BIGINT NOT NULL
) {options};
CREATE TABLE IF NOT EXISTS log_entries (
    id {id},
    timestamp DATETIME(6) NOT NULL,
    ip VARCHAR(45) {ascii} NOT NULL,
    method VARCHAR(10) {ascii} NOT NULL,
    path VARCHAR(2048) {text} NOT NULL,
    status SMALLINT NOT NULL,
    latency_ms INT NOT NULL,
    batch BIGINT NOT NULL DEFAULT 0,
    route BIGINT NOT NULL DEFAULT 0
) {options};
CREATE INDEX log_entries_status ON log_entries (status);
CREATE INDEX log_entries_route ON log_entries (route);
CREATE TABLE IF NOT EXISTS log_block (
    minute BIGINT NOT NULL,
    block BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (minute, block)
) {options};
CREATE TABLE IF NOT EXISTS route (
    id {id},
    template VARCHAR(500) {text} NOT NULL,
    UNIQUE (template)
) {options};
CREATE TABLE IF NOT EXISTS route_day (
    day BIGINT NOT NULL,
    route BIGINT NOT NULL,
    PRIMARY KEY (day, route)
) {options};
CREATE TABLE IF NOT EXISTS rollup_requests (
    level INT NOT NULL,
    bucket BIGINT NOT NULL,
    kept SMALLINT NOT NULL,
    status SMALLINT NOT NULL,
    method VARCHAR(10) {ascii} NOT NULL,
    requests BIGINT NOT NULL,
    latency_sum BIGINT NOT NULL,
    latency_max BIGINT NOT NULL,
    latency BLOB NOT NULL,
    PRIMARY KEY (level, bucket, kept, status, method)
) {options};
CREATE TABLE IF NOT EXISTS rollup_routes (
    level INT NOT NULL,
    bucket BIGINT NOT NULL,
    route BIGINT NOT NULL,
    kept SMALLINT NOT NULL,
    class SMALLINT NOT NULL,
    requests BIGINT NOT NULL,
    latency_sum BIGINT NOT NULL,
    latency_max BIGINT NOT NULL,
    latency BLOB NOT NULL,
    PRIMARY KEY (level, bucket, route, kept, class)
) {options};
CREATE TABLE IF NOT EXISTS rollup_visitors (
    level INT NOT NULL,
    bucket BIGINT NOT NULL,
    kept SMALLINT NOT NULL,
    sketch BLOB NOT NULL,
    PRIMARY KEY (level, bucket, kept)
) {options}
"""


def up(migrator: Any, db: Database) -> None:
    """Makes the tables and their indexes; what an interrupted run left on MySQL, where DDL commits, is kept."""
    for statement in _TABLES.format(**words(db)).split(";"):
        index = re.match(r"\s*CREATE INDEX (\w+) ON (\w+)", statement)
        if index is None or all(known.name != index[1] for known in db.get_indexes(index[2])):
            db.execute_sql(statement)


def down(migrator: Any, db: Database) -> None:
    """Drops them, and everything in them."""
    for table in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", _TABLES):
        db.execute_sql(f"DROP TABLE {table}")
