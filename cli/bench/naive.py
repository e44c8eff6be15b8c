"""The baseline: one line at a time, as one would write it first."""

from __future__ import annotations

import json
import time

from pipeline.storage import Store

_TABLE = """CREATE TABLE IF NOT EXISTS naive (
    id BIGINT AUTO_INCREMENT PRIMARY KEY, timestamp DATETIME, ip VARCHAR(45), method VARCHAR(10),
    path VARCHAR(2048), status INT, latency_ms INT)"""
_INSERT = "INSERT INTO naive (timestamp, ip, method, path, status, latency_ms) VALUES (%s, %s, %s, %s, %s, %s)"


def naive(store: Store, content: bytes, seconds: float = 5.0) -> float:
    """Lines a second of `json.loads`, `split`, and an INSERT with autocommit for each line that is no 200."""
    database = store.database
    with database.connection_context():
        database.execute_sql(_TABLE)
        done, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds:
            for line in json.loads(content):
                at, ip, method, path, status, latency = line.split(" ")
                if status != "200":
                    row = (at.rstrip("Z").replace("T", " "), ip, method, path, int(status), int(latency[:-2]))
                    database.execute_sql(_INSERT, row)
                done += 1
                if time.perf_counter() - start >= seconds:
                    break
        database.execute_sql("DROP TABLE naive")
    return done / spent
