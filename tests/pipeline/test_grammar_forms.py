"""The fast forms against the slow one: they never accept what it refuses, and agree with it on every field."""

from __future__ import annotations

import json
import re
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import LineFault
from pipeline.grammar import FAST_LINE, Line, body_lines, parse
from tests.pipeline.lines import any_lines, ordinary_lines

LINE = "2025-06-10T10:41:40Z 184.116.4.244 POST /products 500 971ms"


def slow(text: str) -> Line | None:
    try:
        return parse(text)
    except LineFault:
        return None


def body_of(lines: list[str], ascii_only: bool = False) -> bytes:
    return json.dumps(lines, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def columns(lines: list[str]) -> list[Line | None]:
    """What `FAST_LINE` makes of a column."""
    frame = pl.DataFrame({"line": lines}, schema={"line": pl.String})
    rows = frame.select(pl.col("line").str.extract_groups(FAST_LINE)).unnest("line").to_dicts()
    return [
        Line(datetime.fromisoformat(r["time"]), r["ip"], r["method"], r["path"], int(r["status"]), int(r["latency"]))
        if r["ip"]
        else None
        for r in rows
    ]


@settings(deadline=None)
@given(st.lists(any_lines, min_size=1, max_size=4), st.booleans())
def test_the_door_accepts_only_what_the_slow_form_accepts_and_counts_it(lines: list[str], ascii_only: bool) -> None:
    counted = body_lines(body_of(lines, ascii_only))
    if counted is not None:
        assert counted == len(lines)
        assert all(slow(line) for line in lines)


@settings(deadline=None)
@given(any_lines)
def test_the_columns_accept_only_what_the_slow_form_accepts_and_agree_on_the_fields(line: str) -> None:
    if line.encode("utf-8", "replace").decode() != line:
        return  # Not text: it cannot be in a column.
    (fast,) = columns([line])
    if fast is not None:
        assert fast == slow(line)


@settings(deadline=None)
@given(st.lists(ordinary_lines, min_size=1, max_size=4))
def test_ordinary_lines_take_the_fast_road(lines: list[str]) -> None:
    assert body_lines(body_of(lines)) == len(lines)
    assert columns(lines) == [parse(line) for line in lines]


@settings(deadline=None)
@given(st.binary(max_size=20), st.integers(0, 100), st.integers(0, 3))
def test_a_body_with_anything_wrong_in_it_is_not_decided(junk: bytes, at: int, cut: int) -> None:
    body = body_of([LINE, LINE])
    changed = body[:at] + junk + body[at + cut :]
    counted = body_lines(changed)
    if counted is not None:
        lines = json.loads(changed)
        assert counted == len(lines)
        assert all(slow(line) for line in lines)


def addresses() -> list[str]:
    """IPv6 with every number of groups on either side of `::`, and without it."""
    groups = [":".join(["a1"] * count) for count in range(10)]
    return [f"{left}::{right}" for left in groups for right in groups] + groups[1:]


@pytest.mark.parametrize(
    "lines",
    [
        [LINE.replace("06-10", f"{month:02}-{day:02}") for month in range(14) for day in range(33)],
        [LINE.replace("2025", str(year)) for year in (1969, 1970, 1999, 2000, 2099, 2100)],
        [LINE.replace("10:41:40", clock) for clock in ("23:59:59", "24:00:00", "19:60:00", "19:00:60", "29:00:00")],
        [LINE.replace("40Z", f"40.{'1' * digits}Z") for digits in range(8)],
        [LINE.replace("184.116.4.244", f"1.2.3.{octet}") for octet in (*range(300), "00", "01", "010", "1e")],
        [LINE.replace("184.116.4.244", address) for address in addresses()],
        [LINE.replace("POST", "P" * length) for length in range(13)],
        [LINE.replace("/products", f"/{chr(code)}x") for code in range(0x120)],
        [LINE.replace("/products", "/" + "x" * length) for length in (0, 2046, 2047, 2048)],
        [LINE.replace(" 500 ", f" {status} ") for status in range(1000)],
        [LINE.replace("971ms", f"{latency}ms") for latency in ("0", "00", "01", "9" * 9, "9" * 10, "-1", "")],
        [
            LINE[:at] + junk + LINE[at:]
            for at in range(len(LINE) + 1)
            for junk in (" ", "0", "Z", "\n", "a", "\x7f", "٣")
        ],
        [LINE[:at] + LINE[at + 1 :] for at in range(len(LINE))],
    ],
    ids=lambda lines: str(len(lines)),
)
def test_near_every_edge_the_fast_forms_accept_only_what_the_slow_one_does(lines: list[str]) -> None:
    expected = [slow(line) for line in lines]
    assert all(body_lines(body_of([line])) is None for line, parsed in zip(lines, expected, strict=True) if not parsed)
    assert all(fast in (None, parsed) for fast, parsed in zip(columns(lines), expected, strict=True))


def test_json_white_space_is_allowed_between_tokens() -> None:
    assert body_lines(f' \t\r\n[ "{LINE}"\n,\r\n\t"{LINE}" ] \n'.encode()) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"[", b'[""]', f'["{LINE}",]', f'["{LINE}"', f'["{LINE}"]]',
        f'["{LINE}" "{LINE}"]', f'[,"{LINE}"]', f'["{LINE}"]x',
        f'\v["{LINE}"]', f'\xa0["{LINE}"]', f'\ufeff["{LINE}"]', f'"{LINE}"', f'["{LINE}"]\0',
        f'[["{LINE}"]]', f'["{LINE}\n"]',
        f'["{LINE.replace("/products", "/" + "x" * 2048)}"]',
    ],
)  # fmt: skip
def test_the_door_does_not_decide_what_is_not_an_array_of_lines(body: bytes | str) -> None:
    assert body_lines(body.encode() if isinstance(body, str) else body) is None


@pytest.mark.parametrize(
    "line", [LINE.replace("06-10", "02-29"), LINE.replace("Z", "+00:00"), LINE + "\n", LINE.replace("971", "0971")]
)
def test_what_is_rare_or_wrong_is_left_to_the_slow_form(line: str) -> None:
    assert body_lines(body_of([line])) is None
    assert columns([line]) == [None]


@pytest.mark.parametrize("count", [1, 100_000])
def test_a_bad_line_at_the_end_of_a_large_body_is_noticed(count: int) -> None:
    lines = [LINE] * count
    assert body_lines(body_of(lines)) == count
    assert body_lines(body_of([*lines, "bad"])) is None


def test_the_columnar_pattern_is_one_that_both_engines_read() -> None:
    assert re.compile(FAST_LINE).groupindex.keys() == {"time", "ip", "method", "path", "status", "latency"}
