"""`/logs/export`: a file of any size, whole or visibly not."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from flask.testing import FlaskClient
from peewee import fn

from pipeline.errors import Unavailable
from pipeline.models import LogEntry
from pipeline.moment import rfc3339
from pipeline.storage import Store
from tests.stores import Seen, put
from webapi import export, streams
from webapi.parameters import export_question
from webapi.streams import Streams

AT = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
FIELDS = ["id", "Timestamp", "IP", "Method", "Path", "Status", "LatencyMs"]
LINES = [
    Seen(AT, "184.116.4.244", "POST", '/a,b;"c"', 500, 971),
    Seen(AT + timedelta(microseconds=120), "::1", "GET", "/=1+1|cmd'/C calc'!A0", 404, 0),
    Seen(AT + timedelta(seconds=1), "2001:db8::1", "GET", "/é😀%00\\", 404, 999_999_999),
    Seen(AT + timedelta(milliseconds=10), path="/@SUM(1)+-", status=301),
]


def told(lines: Sequence[Seen]) -> list[tuple[Any, ...]]:
    """Lines as a file has them, newest first."""
    return [
        (rfc3339(line.at), line.ip, line.method, line.path, line.status, line.latency_ms) for line in reversed(lines)
    ]


def rows(text: str) -> list[tuple[Any, ...]]:
    """The lines of a CSV file; strict, and by the field's names."""
    head, *found = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert head == FIELDS
    ids = [int(row[0]) for row in found]
    assert ids == sorted(ids, reverse=True)
    return [(*row[1:5], int(row[5]), int(row[6])) for row in found]


def objects(text: str) -> list[tuple[Any, ...]]:
    """The lines of an NDJSON file."""
    found = [json.loads(line) for line in text.splitlines()]
    assert all(list(line) == FIELDS for line in found)
    return [tuple(list(line.values())[1:]) for line in found]


READ = {"csv": rows, "ndjson": objects}


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
@pytest.mark.parametrize("chunk", [1, 2, 3, 10_000])
def test_a_file_read_back_is_what_was_stored(
    api: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, chunk: int
) -> None:
    monkeypatch.setattr(export, "CHUNK", chunk)
    put(store, LINES)
    answer = api.get(f"/logs/export?format={kind}")
    assert answer.status_code == 200
    assert answer.content_type == export.CONTENT_TYPES[kind]
    assert READ[kind](answer.text) == told(LINES)
    for limit in (1, 3, 4, 5):
        assert READ[kind](api.get(f"/logs/export?format={kind}&limit={limit}").text) == told(LINES)[:limit]
    assert READ[kind](api.get(f"/logs/export?format={kind}&status=404").text) == told([LINES[1], LINES[2]])
    assert READ[kind](api.get(f"/logs/export?format={kind}&status=418").text) == []
    window = urlencode({"from": rfc3339(AT + timedelta(microseconds=120)), "to": rfc3339(AT + timedelta(seconds=0.5))})
    assert READ[kind](api.get(f"/logs/export?format={kind}&{window}").text) == told([LINES[1], LINES[3]])


NASTY = [
    "/plain",
    '/"',
    '/""x"',
    "/,",
    "/,,,,,,,",
    "/\\",
    '/\\"',
    "/a b",
    "/tab\t",
    "/cr\r",
    "/lf\n/x",
    "/crlf\r\n=1+1",
    "/nul\0x",
    "/esc\x1b\x7f\x85",
    "/\u2028\u200b\u00a0\ufeff",
    "/é😀",
    "/100%s%%(x)s{0}",
    '/","Status":500,"LatencyMs":1}',
    '/","Path":"/x","Status":',
    '/x,404,1\r\n1,2026-03-03T12:00:00Z,::1,GET,"/y',
    "/'=1+1",
    "/\"',\\" + "x" * 2000,
]
TIMES = [0, 1, 10, 100_000, 500_000, 999_999, 10_000_000, 600_000_000]  # microseconds


def expected(kind: str, lines: Sequence[Seen], first: int) -> bytes:
    """A file as Python's own writers make it of lines whose ids begin with `first`."""
    found = [(first + at, *told([line])[0]) for at, line in enumerate(lines)][::-1]
    if kind == "ndjson":
        return b"".join(msgspec.json.encode(dict(zip(FIELDS, row, strict=True))) + b"\n" for row in found)
    text = io.StringIO()
    csv.writer(text).writerows([FIELDS, *found])
    return text.getvalue().encode()


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
@pytest.mark.parametrize("chunk", [1, 5, 10_000])
def test_a_file_is_to_the_byte_what_pythons_own_writers_make(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, chunk: int
) -> None:
    monkeypatch.setattr(export, "CHUNK", chunk)
    # No line that is taken has such paths, and none of them could be loaded.
    monkeypatch.setattr("tasks.rows._CAN_LOAD", "SELECT FALSE")
    nasty = [Seen(AT + timedelta(microseconds=TIMES[at % len(TIMES)]), path=path) for at, path in enumerate(NASTY)]
    lines = [*LINES, *nasty, Seen(AT, "2001:db8::1", "PROPFIND", "/last", 100, 2**31 - 1)]
    put(store, lines)
    first = store.read(lambda: LogEntry.select(fn.MIN(LogEntry.id)).scalar())
    assert b"".join(_chunks(store, f"format={kind}", Streams())) == expected(kind, lines, first)


def test_csv_is_the_default_and_no_cell_begins_as_a_formula(api: FlaskClient, store: Store) -> None:
    put(store, LINES)
    answer = api.get("/logs/export")
    assert answer.content_type == "text/csv; charset=utf-8"
    cells = [cell for row in csv.reader(io.StringIO(answer.text, newline="")) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "logs.csv"),
        ("format=ndjson", "logs.ndjson"),
        ("from=2026-03-03T12:00:00.5Z&to=2026-03-04T00:00:00Z", "logs-20260303T120000Z-20260304T000000Z.csv"),
        ("range=hour&format=ndjson", "logs-20260303T110030Z-20260303T120030Z.ndjson"),
    ],
)
def test_a_file_is_named_with_its_range(api: FlaskClient, query: str, name: str) -> None:
    answer = api.get(f"/logs/export?{query}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("format=xml", "format"),
        ("limit=0", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("offset=1", "offset"),
        ("cursor=x", "cursor"),
        ("status=abc", "status"),
        ("path=" + "x" * 2049, "path"),
    ],
)
def test_a_bad_parameter_is_named(refusing: FlaskClient, query: str, name: str) -> None:
    answer = refusing.get(f"/logs/export?{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == [name]


def test_a_database_that_is_away_at_first_is_a_problem(refusing: FlaskClient) -> None:
    for kind in ("csv", "ndjson"):
        answer = refusing.get(f"/logs/export?format={kind}")
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
        assert "database" in answer.json["detail"]
        assert "Content-Disposition" not in answer.headers


def _chunks(store: Store, query: str, given: Streams) -> Iterator[bytes]:
    pairs = [(name, text) for name, _, text in (part.partition("=") for part in query.split("&"))]
    return export.export(store, export_question(pairs, AT), given)


@pytest.mark.parametrize("why", ["the database dies", "the process is told to stop"])
@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_file_that_breaks_off_cannot_be_taken_for_a_whole_one(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, why: str
) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    put(store, LINES)
    given = Streams()
    chunks = _chunks(store, f"format={kind}", given)
    found = [next(chunks)]
    if why == "the process is told to stop":
        given.stop()
    else:

        def away(*_: Any) -> Any:
            raise Unavailable("database", "it went away")

        monkeypatch.setattr(Store, "read", away)
    with pytest.raises(Unavailable):
        found.extend(chunks)
    assert READ[kind](found[0].decode()) == told(LINES)[:2]
    with pytest.raises((csv.Error, json.JSONDecodeError)):
        READ[kind](b"".join(found).decode())


def test_few_among_many_are_found_in_queries_of_bounded_length(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK_SECONDS", -1.0)
    monkeypatch.setattr("pipeline.entries._FIRST_PIECE", 3)
    put(store, [Seen(AT, path=f"/{n}") for n in range(40)])
    text = b"".join(_chunks(store, "path=9", Streams())).decode()
    assert [row[3] for row in rows(text)] == ["/39", "/29", "/19", "/9"]
    assert len(rows(b"".join(_chunks(store, "path=9&limit=3", Streams())).decode())) == 3


def test_lines_that_come_meanwhile_are_not_in_the_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    put(store, LINES)
    chunks = _chunks(store, "format=csv", Streams())
    first = next(chunks)
    put(store, [Seen(AT, path="/later")])
    assert rows((first + b"".join(chunks)).decode()) == told(LINES)


def test_a_file_too_many_is_refused_and_places_come_back(api: FlaskClient, store: Store) -> None:
    put(store, LINES)
    for _ in range(3 * streams.EXPORTS):
        assert api.head("/logs/export").status_code == 200
        assert api.get("/logs/export").status_code == 200
        api.get("/logs/export", buffered=False).close()
    given = Streams()
    held = [_chunks(store, "format=csv", given) for _ in range(streams.EXPORTS)]
    for one in held:
        next(one)
    with pytest.raises(streams.TooManyRequests):
        next(_chunks(store, "format=csv", given))
    held.pop(0)
    next(_chunks(store, "format=csv", given))


@pytest.mark.real_only
def test_memory_stays_flat(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 1_000)
    row = {"timestamp": AT, "ip": "10.0.0.1", "method": "GET", "path": "/" + "x" * 90, "status": 404, "latency_ms": 1}

    def fill() -> None:
        for first in range(1, 100_000, 1_000):
            LogEntry.insert_many([row | {"id": id} for id in range(first, first + 1_000)]).execute()

    store.write(fill)
    next(_chunks(store, "limit=1", Streams()))
    tracemalloc.start()
    size = sum(map(len, _chunks(store, "format=csv", Streams())))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 13_000_000
    assert peak < size / 4
