"""Stored lines, filtered, a page of them at a time."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

from peewee import fn

from pipeline.models import LogEntry
from pipeline.moment import rfc3339
from pipeline.storage import Store
from webapi.questions import LogsQuestion


class Page(NamedTuple):
    """How many lines there are, and some of them with the contract's keys."""

    total: int
    lines: list[dict[str, Any]]


def page(store: Store, question: LogsQuestion) -> Page:
    """The lines that a question asks for, newest first; both answers are of one snapshot. Raises Unavailable."""
    columns = (LogEntry.timestamp, LogEntry.ip, LogEntry.method, LogEntry.path, LogEntry.status, LogEntry.latency_ms)
    lines, total = LogEntry.select(LogEntry.id, *columns), LogEntry.select(fn.COUNT(LogEntry.id))
    if conditions := _conditions(question):
        lines, total = lines.where(*conditions), total.where(*conditions)
    lines = lines.order_by(LogEntry.id.desc()).limit(question.limit).offset(question.offset)

    def work() -> Page:
        found: Any = lines.tuples()
        return Page(int(total.scalar() or 0), [_line(*row) for row in found])

    return store.read(work)


def _conditions(question: LogsQuestion) -> list[Any]:
    """INSTR compares bytes' order on SQLite and by the column's binary collation on MySQL: case counts on both."""
    said = question.selection
    ips = [_written(network.first) for network in said.ip.values] if said.ip else []
    methods = said.method.values if said.method else ()
    paths = [(fn.INSTR(LogEntry.path, part.text) > 0) != part.negated for part in said.path]
    candidates = (
        (ips, LogEntry.ip.in_(ips)),
        (said.status, LogEntry.status.in_(sorted(said.status or ()))),
        (methods, LogEntry.method.in_(methods)),
        (question.start, LogEntry.timestamp >= question.start),
        (question.end, LogEntry.timestamp <= question.end),
    )
    return [condition for given, condition in candidates if given] + paths


def _written(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _line(number: int, timestamp: Any, ip: str, method: str, path: str, status: int, latency_ms: int) -> dict[str, Any]:
    return {
        "id": number,
        "Timestamp": rfc3339(timestamp),
        "IP": ip,
        "Method": method,
        "Path": path,
        "Status": status,
        "LatencyMs": latency_ms,
    }
