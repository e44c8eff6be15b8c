"""Lines on their way into `log_entries` come back as they were, and no byte of a client's is ever SQL."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from string import ascii_letters, digits
from typing import Any

import peewee
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
from tests.stores import beside, session

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


@pytest.fixture(params=["loaded", "inserted"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows as MariaDB takes them, and as a server does that loads none."""
    if request.param == "inserted":
        monkeypatch.setattr(rows, "_CAN_LOAD", "SELECT FALSE")


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


@pytest.mark.usefixtures("both_ways")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(valid_lines, min_size=1, max_size=12))
def test_whatever_the_grammar_admits_comes_back_equal(store: Store, found: list[str]) -> None:
    assert stored(store, frame_of(found)) == expected(found)


@pytest.mark.usefixtures("both_ways")
def test_hostile_paths_come_back_equal(store: Store) -> None:
    found = [line(path=path) for path in HOSTILE]
    assert stored(store, frame_of(found)) == expected(found)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("fraction", ["", *("." + "123456"[:length] for length in range(1, 7)), ".000001", ".999999"])
@pytest.mark.parametrize("offset", ["Z", "+05:30"])
def test_a_time_comes_back_to_the_microsecond(store: Store, fraction: str, offset: str) -> None:
    found = [line(time=f"2025-06-10T23:59:59{fraction}{offset}"), line(time=f"1970-01-02T00:00:00{fraction}{offset}")]
    assert stored(store, frame_of(found)) == expected(found)
    assert all(isinstance(row[0], datetime) for row in stored(store, frame_of(found)))


@pytest.mark.usefixtures("both_ways")
def test_rows_of_several_pieces_have_ids_that_follow_each_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PIECE_BYTES", 1_000)
    found = [line(latency=number) for number in range(50)]
    assert stored(store, frame_of(found)) == expected(found)


@pytest.mark.usefixtures("both_ways")
def test_a_method_that_reads_null_is_a_method(store: Store) -> None:
    found = [line().replace(" GET ", " NULL ")]
    assert stored(store, frame_of(found)) == expected(found)


@pytest.mark.usefixtures("both_ways")
def test_a_statement_is_cut_before_its_limit_and_loses_no_row(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PIECE_BYTES", 10_000)
    found = [line(path="/" + "x" * (number * 37 % 2047), latency=number) for number in range(300)]
    frame = frame_of(found)
    statements = [insert.statement for insert in rows.inserts(frame, 7, 1)]
    assert len(statements) > 20
    assert max(map(len, statements)) <= 10_000
    assert stored(store, frame) == expected(found)


def test_one_row_larger_than_the_limit_is_a_statement_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PIECE_BYTES", 300)
    statements = [insert.statement for insert in rows.inserts(frame_of([line(path="/" + "x" * 2000)] * 3), 7, 1)]
    assert [statement.count("/x") for statement in statements] == [1] * 3


def test_a_path_is_written_as_it_is_where_no_character_of_it_means_anything() -> None:
    paths = ["/", "/orders/7?of=A_b&-=~.", *(f"/{character}" for character in map(chr, range(0x21, 0x7F)))]
    ((statement,),) = rows.inserts(frame_of([line(path=path) for path in paths]), 7, 1)
    plain = {path for path in paths if f"'{path}'" in statement}
    assert plain == {path for path in paths if set(path) <= {*ascii_letters, *digits, *"/._~?=&-"}}
    assert statement.count("_utf8mb4 X'") == len(paths) - len(plain)


def test_a_statement_is_ascii_without_a_byte_of_a_hostile_path() -> None:
    ((statement,),) = rows.inserts(frame_of([line(path=path) for path in HOSTILE]), 7, 1)
    assert statement.isascii()
    assert not any(part in statement for part in ("DROP", "\\", "%", '"', "--"))


@pytest.mark.real_only
def test_mariadb_loads_rows_unless_it_is_told_not_to(store: Store) -> None:
    def kind() -> type:
        (piece,) = store.read(lambda: list(rows.pieces(store, frame_of([line()]), 7, 1)))
        return type(piece)

    assert kind() is rows.Load
    store.write(lambda: store.execute("SET GLOBAL local_infile = OFF"))
    try:
        assert kind() is rows.Insert
        assert stored(store, frame_of([line()])) == expected([line()])
    finally:
        store.write(lambda: store.execute("SET GLOBAL local_infile = ON"))


@pytest.mark.real_only
def test_ids_that_are_reserved_at_once_follow_each_other_and_are_nobody_else_s(store: Store) -> None:
    with ThreadPoolExecutor(4) as threads:
        counts = [number % 7 + 1 for number in range(100)]
        firsts = list(threads.map(lambda count: rows.reserve(store, count), counts))
        list(threads.map(lambda _: store.disconnect(), range(4)))
    ids = sorted(id for first, count in zip(firsts, counts, strict=True) for id in range(first, first + count))
    assert ids == list(range(ids[0], ids[0] + sum(counts)))
    assert rows.reserve(store, 1) == ids[-1] + 1


@pytest.mark.real_only
def test_a_load_waits_for_no_other(store: Store) -> None:
    frame = frame_of([line(path=f"/{number}") for number in range(1_000)])
    one, other = (next(rows.loads(frame, 7, rows.reserve(store, 1_000))) for _ in range(2))
    with ThreadPoolExecutor(1) as thread:

        def work() -> None:
            one.into(store)
            thread.submit(lambda: store.write(lambda: other.into(store), tries=1)).result(4)
            thread.submit(store.disconnect).result()

        store.write(work)
    paths = store.read(lambda: [path for (path,) in LogEntry.select(LogEntry.path).order_by(LogEntry.id).tuples()])
    assert paths == frame["path"].to_list() * 2


@pytest.mark.real_only
def test_a_load_whose_connection_is_killed_is_run_again(store: Store) -> None:
    load = next(rows.loads(frame_of([line()]), 7, rows.reserve(store, 1)))
    runs: list[int] = []

    def work() -> None:
        runs.append(session(store))
        if len(runs) == 1:
            beside(store, f"KILL {runs[0]}")
        load.into(store)

    store.write(work)
    assert len(set(runs)) == 2
    assert store.read(lambda: LogEntry.select().count()) == 1


ROW = ["1", "2025-06-10T12:00:00.5", "10.0.0.1", "GET", "/", "404", "7", "7", "11"]


@pytest.mark.real_only
@pytest.mark.parametrize(
    ("at", "value", "code"),
    [
        (1, "2025-02-31T12:00:00", 1265),
        pytest.param(1, "soon", 1265, id="no-time"),
        (2, "x" * 46, 1265),
        (2, "é", 1366),
        (4, "/" + "x" * 2048, 1265),
        (4, "/a\tb", 1366),
        (4, "/a\nb", 1261),
        (5, "99999", 1264),
        (5, "", 1366),
        (6, "many", 1366),
        (7, "7\t11\t11", 1262),
        pytest.param(8, "11\n4\t" + "\t".join(ROW[1:]), 1262, id="a-row-more"),
    ],
)
def test_what_mariadb_would_load_as_something_else_is_refused(store: Store, at: int, value: str, code: int) -> None:
    bad = ["2", *ROW[1:at], value, *ROW[at + 1 :]]
    text = "".join("\t".join(row) + "\n" for row in (ROW, bad, ["3", *ROW[1:]]))
    load = rows.Load(text.encode(), 3)
    with pytest.raises(peewee.DataError) as refused:
        store.write(lambda: load.into(store))
    assert refused.value.args[0] == code
    assert store.read(lambda: LogEntry.select().count()) == 0


@pytest.mark.real_only
def test_a_server_is_sent_rows_and_never_a_file(store: Store, tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("\t".join(ROW) + "\n")
    asked = rows._LOAD.replace("'rows'", f"'{secret}'")
    # Peewee's rollback fails on a connection that waits for the file; what went wrong first is told with it.
    with pytest.raises(peewee.InternalError) as ended:
        store.write(lambda: store.execute(asked))
    assert "local_infile option is false" in "".join(traceback.format_exception(ended.value))
    assert store.read(lambda: LogEntry.select().count()) == 0
