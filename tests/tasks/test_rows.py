"""Lines on their way into `log_entries` come back as they were, and no byte of a client's is ever SQL."""

from __future__ import annotations

from datetime import datetime
from string import ascii_letters, digits
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import grammar
from pipeline.models import LogEntry
from pipeline.storage import Store
from tasks import rows
from tasks.frame import parse
from tests.pipeline.lines import valid_lines
from tests.records import line, upload

HOSTILE = [
    "/');DROP/**/TABLE/**/log_entries;--",
    "/\\",
    "/\\'",
    "/%s%(name)s%%",
    '/"`--#;',
    "/?:1@x",
    "/X'41'",
    "/{}{0}",
    "/é/ÿ/\u2028/\ufeff/\ufffd/\ue000",
    "/😀/\U0001d54f/\U0010fffd",
    "/a/" + "x" * 2045,
    "/" + "😀" * 2047,
    "/trailing\u00a0",
    "/ＡaÀà",  # noqa: RUF001 (equal under a collation that is not binary)
]


def frame_of(lines: list[str]) -> pl.DataFrame:
    frame = parse([upload(0, lines)]).frame
    assert len(frame) == len(lines)
    return frame.with_columns(pl.lit(11, pl.Int64).alias("route"))


def stored(store: Store, frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """What the table holds after inserting a frame into it, empty before."""

    def work() -> list[tuple[Any, ...]]:
        LogEntry.delete().execute()
        ids = rows.insert(store, frame, 7).tolist()
        found = list(LogEntry.select().order_by(LogEntry.id).tuples())
        assert [row[0] for row in found] == ids
        return [row[1:] for row in found]

    return store.write(work)


def expected(lines: list[str]) -> list[tuple[Any, ...]]:
    parsed = [grammar.parse(text) for text in lines]
    return [(p.timestamp, p.ip, p.method, p.path, p.status, p.latency_ms, 7, 11) for p in parsed]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(valid_lines, min_size=1, max_size=12))
def test_whatever_the_grammar_admits_comes_back_equal(store: Store, found: list[str]) -> None:
    assert stored(store, frame_of(found)) == expected(found)


def test_hostile_paths_come_back_equal(store: Store) -> None:
    found = [line(path=path) for path in HOSTILE]
    assert stored(store, frame_of(found)) == expected(found)


@pytest.mark.parametrize("fraction", ["", *("." + "123456"[:length] for length in range(1, 7)), ".000001", ".999999"])
@pytest.mark.parametrize("offset", ["Z", "+05:30"])
def test_a_time_comes_back_to_the_microsecond(store: Store, fraction: str, offset: str) -> None:
    found = [line(time=f"2025-06-10T23:59:59{fraction}{offset}"), line(time=f"1970-01-02T00:00:00{fraction}{offset}")]
    assert stored(store, frame_of(found)) == expected(found)
    assert all(isinstance(row[0], datetime) for row in stored(store, frame_of(found)))


def test_a_statement_is_cut_before_its_limit_and_loses_no_row(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "STATEMENT_BYTES", 10_000)
    found = [line(path="/" + "x" * (number * 37 % 2047), latency=number) for number in range(300)]
    frame = frame_of(found)
    statements = [statement for statement, _ in rows.statements(frame, 7)]
    assert len(statements) > 20
    assert max(map(len, statements)) <= 10_000
    assert stored(store, frame) == expected(found)


def test_one_row_larger_than_the_limit_is_a_statement_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "STATEMENT_BYTES", 300)
    statements = list(rows.statements(frame_of([line(path="/" + "x" * 2000)] * 3), 7))
    assert [(statement.count("/x"), length) for statement, length in statements] == [(1, 1)] * 3


def test_a_path_is_written_as_it_is_where_no_character_of_it_means_anything() -> None:
    paths = ["/", "/orders/7?of=A_b&-=~.", *(f"/{character}" for character in map(chr, range(0x21, 0x7F)))]
    ((statement, _),) = rows.statements(frame_of([line(path=path) for path in paths]), 7)
    plain = {path for path in paths if f"'{path}'" in statement}
    assert plain == {path for path in paths if set(path) <= {*ascii_letters, *digits, *"/._~?=&-"}}
    assert statement.count("_utf8mb4 X'") == len(paths) - len(plain)


def test_a_statement_is_ascii_without_a_byte_of_a_hostile_path() -> None:
    ((statement, _),) = rows.statements(frame_of([line(path=path) for path in HOSTILE]), 7)
    assert statement.isascii()
    assert not any(part in statement for part in ("DROP", "\\", "%", '"', "--"))
