"""A batch taken apart in columns equals a batch taken apart a line at a time."""

from __future__ import annotations

import json
from calendar import timegm
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import batch, grammar
from pipeline.batch import PAYLOAD
from pipeline.errors import LineFault
from tasks.frame import SCHEMA, Parsed, Place, Rejected, parse, without
from tests.pipeline.lines import any_lines, ordinary_lines, valid_lines
from tests.records import Headers, Rec, bodies, line, upload


class Naive(NamedTuple):
    """What a Python loop over the lines finds."""

    lines: list[tuple[Any, ...]]
    rejected: set[tuple[int, int | None, int, str]]


def naive(records: Sequence[Rec]) -> Naive:
    found = Naive([], set())
    for number, record in enumerate(records):
        if record.value is None:
            continue
        document = batch.decode(record.value)
        if not isinstance(document, list):
            found.rejected.add((number, None, batch.lines(record), "not_an_array"))
        elif len(document) != batch.lines(record):
            found.rejected.add((number, None, batch.lines(record), "lines_header"))
        else:
            for index, element in enumerate(document):
                try:
                    if not isinstance(element, str):
                        raise LineFault("not_text", "")
                    one = grammar.parse(element)
                except LineFault as fault:
                    found.rejected.add((number, index, 1, fault.reason))
                else:
                    time = f"{one.timestamp:%Y-%m-%dT%H:%M:%S.%f}"
                    minute = timegm(one.timestamp.timetuple()) // 60 * 60
                    found.lines.append((number, index, time, *msgspec.structs.astuple(one)[1:], minute))
    return found


def rows(parsed: Parsed) -> list[tuple[Any, ...]]:
    """The frame's rows, their times in one width."""
    return [
        (*row[:2], f"{row[2]}{'' if '.' in row[2] else '.'}".ljust(26, "0"), *row[3:]) for row in parsed.frame.rows()
    ]


def without_surrogates(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


elements = st.one_of(
    ordinary_lines,
    valid_lines,
    any_lines.filter(without_surrogates),
    st.one_of(st.none(), st.booleans(), st.integers(), st.lists(st.just("x"), max_size=2), st.just({"a": 1})),
)


@st.composite
def uploads(draw: st.DrawFn) -> Rec:
    lines = draw(st.lists(draw(st.sampled_from([ordinary_lines, elements])), max_size=5))
    body = json.dumps(lines, ensure_ascii=draw(st.booleans())).encode()
    said = draw(st.sampled_from([len(lines), len(lines), len(lines) + 1, 0, 10**8, None]))
    headers: Headers = () if said is None else (("lines", str(said).encode()),)
    return Rec(0, body, headers)


batches = st.lists(st.one_of(uploads(), uploads(), uploads(), bodies), max_size=6)


@settings(max_examples=150, deadline=None)
@given(batches)
def test_the_columns_find_what_a_loop_over_the_lines_finds(records: list[Rec]) -> None:
    parsed, expected = parse(records), naive(records)
    assert parsed.frame.schema == {**SCHEMA, "minute": pl.Int64}
    assert rows(parsed) == expected.lines
    assert {(one.record, one.line, one.lines, one.reason) for one in parsed.rejected} == expected.rejected
    assert len(parsed.frame) + sum(one.lines for one in parsed.rejected) == sum(map(batch.lines, records))


@settings(max_examples=50, deadline=None)
@given(batches, st.sets(st.integers(0, 5)))
def test_a_batch_without_some_records_is_what_the_others_are(records: list[Rec], gone: set[int]) -> None:
    uploads = [Place(number, 0, batch.lines(records[number])) for number in gone if number < len(records)]
    left = without(parse(records), uploads)
    kept = [Rec(0, None) if number in gone else record for number, record in enumerate(records)]
    assert rows(left) == rows(parse(kept))
    assert left.rejected == parse(kept).rejected


@settings(max_examples=50, deadline=None)
@given(batches, st.data())
def test_of_several_uploads_in_a_record_those_that_are_gone_take_no_other_s_lines(
    records: list[Rec], data: st.DataObject
) -> None:
    parsed = parse(records)
    # A foreign header may claim any number of lines.
    cuts = [data.draw(st.integers(0, batch.lines(record))) if batch.lines(record) < 10 else 0 for record in records]
    gone = [Place(number, cut, min(2, batch.lines(records[number]) - cut)) for number, cut in enumerate(cuts)]
    left = without(parsed, gone)

    def stays(number: int, at: int) -> bool:
        return not gone[number].line <= at < gone[number].line + gone[number].lines

    assert left.frame.rows() == [row for row in parsed.frame.rows() if stays(row[0], row[1])]
    # Of what was rejected as a whole it is not known which line is whose.
    assert left.rejected == [
        one
        for one in parsed.rejected
        if (gone[one.record].lines < one.lines if one.line is None else stays(one.record, one.line))
    ]


@pytest.mark.parametrize("records", [[], [upload(0, [])], [Rec(0, None)], [upload(0, []), Rec(1, None)]])
def test_a_batch_without_a_line_is_empty(records: list[Rec]) -> None:
    assert parse(records).frame.is_empty()
    assert parse(records).frame.schema == {**SCHEMA, "minute": pl.Int64}
    assert parse(records).rejected == []


def test_records_without_lines_do_not_shift_the_others() -> None:
    records = [upload(0, []), upload(1, [line(path="/a")]), Rec(2, None), upload(3, []), upload(4, [line(path="/b")])]
    assert [(row[0], row[1], row[5]) for row in rows(parse(records))] == [(1, 0, "/a"), (4, 0, "/b")]


@pytest.mark.parametrize(
    ("text", "time", "ip", "path"),
    [
        (line(time="2024-02-29T00:00:00+02:00"), "2024-02-28T22:00:00.000000", "184.116.4.244", "/products"),
        (line(time="2025-06-10T10:41:40.5Z"), "2025-06-10T10:41:40.500000", "184.116.4.244", "/products"),
        (line(time="2025-06-10T10:41:40.000001-00:30"), "2025-06-10T11:11:40.000001", "184.116.4.244", "/products"),
        (line(ip="2001:DB8:0::1"), "2025-06-10T10:41:40.000000", "2001:db8::1", "/products"),
        (line(path="/é/😀"), "2025-06-10T10:41:40.000000", "184.116.4.244", "/é/😀"),
    ],
)
def test_rare_lines_are_stored_in_their_one_form(text: str, time: str, ip: str, path: str) -> None:
    (row,) = rows(parse([upload(0, [text])]))
    assert (row[2], row[3], row[5]) == (time, ip, path)


def test_what_was_not_understood_is_kept_as_it_came() -> None:
    value = json.dumps([line(), "bad é", 7, {"a": None}]).encode()
    parsed = parse([Rec(0, value), Rec(1, b"not json \xff")])
    assert [(one.record, one.line, one.payload) for one in parsed.rejected] == [
        (1, None, b"not json \xff"),
        (0, 1, "bad é".encode()),
        (0, 2, b"7"),
        (0, 3, b'{"a":null}'),
    ]


def test_a_record_of_very_many_elements_that_are_no_strings_is_taken_apart_once() -> None:
    """Once for each of its elements would take hours, and no worker would do anything else."""
    many = 200_000
    rejected = parse([Rec(0, b"[" + b",".join([b"0"] * many) + b"]"), upload(1, [line(), 7])]).rejected
    assert len(rejected) == many + 1
    assert (rejected[many - 1].line, rejected[many - 1].payload) == (many - 1, b"0")
    assert rejected[many] == Rejected(1, 1, 1, "not_text", "the element is not a string", b"7")


def test_what_is_kept_of_it_is_bounded() -> None:
    large = "x" * 100_000
    parsed = parse([upload(0, [large]), Rec(1, large.encode()), upload(2, [[large]])])
    assert {len(one.payload) for one in parsed.rejected} == {PAYLOAD}
    assert max(len(one.detail) for one in parsed.rejected) < 300


def test_a_lying_header_rejects_the_record_with_all_of_its_lines() -> None:
    assert parse([upload(0, [line(), line()], declared=5)]).rejected == [
        Rejected(
            0, None, 5, "lines_header", "the header says 5 lines, the array has 2", upload(0, [line(), line()]).value
        )
    ]
