"""How the database finds what `/logs` asks for: by an index inside of a piece, never by sorting, on both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.storage import Store
from tests.stores import Seen, empty, put
from webapi import logs
from webapi.parameters import logs_question

AT = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
COUNT = 60_000


@pytest.fixture(scope="module")
def filled(database: str) -> Any:
    """Many lines of status 404, four of them 503."""
    store = Store.open(database)
    empty(store)
    rare = range(0, COUNT, COUNT // 4)
    put(store, [Seen(AT + timedelta(milliseconds=n), status=503 if n in rare else 404) for n in range(COUNT)])
    if store.is_mysql:
        store.execute("ANALYZE TABLE log_entries")
    yield store
    empty(store)
    store.disconnect()


def explained(store: Store, monkeypatch: pytest.MonkeyPatch, query: str) -> list[str]:
    """The plans of the queries for rows that a page makes, each as text."""
    seen: list[tuple[str, Any]] = []
    execute = store.database.execute_sql

    def watch(sql: str, params: Any = None) -> Any:
        if "ORDER BY" in sql and "log_entries" in sql:
            seen.append((sql, params))
        return execute(sql, params)

    pairs = [(name, text) for name, _, text in (part.partition("=") for part in query.split("&"))]
    with monkeypatch.context() as patched:
        patched.setattr(store.database, "execute_sql", watch)
        logs.page(store, logs_question(pairs, AT), AT)
    how = "EXPLAIN " if store.is_mysql else "EXPLAIN QUERY PLAN "
    return [
        store.read(lambda sql=sql, params=params: str(execute(how + sql, params).fetchall())) for sql, params in seen
    ]


@pytest.mark.parametrize("query", ["status=503", "status=503&from=2026-03-03T00:00:00Z&to=2026-03-04T00:00:00Z"])
def test_a_rare_status_is_found_by_its_index(filled: Store, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    plans = explained(filled, monkeypatch, query)
    assert len(plans) > 2
    # The first pieces are so small that a look at each of their rows may be cheaper.
    assert all("log_entries_status" in plan for plan in plans[2:]), plans


def test_pages_of_every_line_are_read_in_the_order_of_ids(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for plan in explained(filled, monkeypatch, "limit=50"):
        assert "filesort" not in plan
        assert "TEMP B-TREE" not in plan
