"""Uploads in a record: of one all stays as it came, and of several each can be told from the others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import batch, uploads
from pipeline.uploads import Held, Upload
from tests.records import Rec, bodies, line

NOW = datetime(2025, 6, 10, 10, 41, 40, 250, UTC)

spaces = st.sampled_from(["", " ", "\n"])
bodies_from_bracket_to_bracket = st.builds(
    lambda lines, before, after: (
        "[" + before + f",{after}".join(json.dumps(line()) for _ in range(lines)) + after + "]"
    ),
    st.integers(1, 4),
    spaces,
    spaces,
).map(str.encode)
keys = st.one_of(st.none(), st.sampled_from(["k", "l"]))


def upload(body: bytes, key: str | None = None, api_key: str | None = None) -> Upload:
    return Upload(len(json.loads(body)), len(body), NOW, "r", key, api_key)


def record(*sent: tuple[bytes, str | None, str | None]) -> Rec:
    """The record that these uploads share: body, key and API key of each."""
    value, headers = uploads.record([upload(*one) for one in sent], [body for body, _, _ in sent])
    return Rec(0, value, tuple(headers))


@given(st.lists(st.tuples(bodies_from_bracket_to_bracket, keys, keys), min_size=1, max_size=5))
def test_what_was_put_together_is_told_apart(sent: list[tuple[bytes, str | None, str | None]]) -> None:
    made = record(*sent)
    assert made.value is not None
    assert json.loads(made.value) == [line for body, _, _ in sent for line in json.loads(body)]
    expected, at = [], 0
    for body, key, api_key in sent:
        lines = len(json.loads(body))
        expected.append(Held(key and key.encode(), (api_key or "").encode(), body, at, lines))
        at += lines
    assert uploads.held(made) == expected
    assert batch.lines(made) == at


def test_one_upload_is_its_body_verbatim_and_headers() -> None:
    value, headers = uploads.record([Upload(2, 9, NOW, "r", "k", "a")], [b" [1, 2]\r\n"])
    assert value == b" [1, 2]\r\n"
    assert dict(headers) == {
        "format": b"lines",
        "received": b"2025-06-10T10:41:40.000250Z",
        "lines": b"2",
        "request": b"r",
        "key": b"k",
        "api_key": b"a",
    }


def test_several_say_of_each_what_one_says_of_itself() -> None:
    first, second = json.dumps([line()]).encode(), json.dumps([line(500), line()]).encode()
    made = record((first, "k", "a"), (second, None, None))
    assert made.value == first[:-1] + b"," + second[1:]
    headers = dict(made.headers)
    assert json.loads(headers.pop("uploads") or b"") == [
        {
            "lines": 1,
            "bytes": len(first),
            "received": "2025-06-10T10:41:40.000250Z",
            "request": "r",
            "key": "k",
            "api_key": "a",
        },
        {"lines": 2, "bytes": len(second), "received": "2025-06-10T10:41:40.000250Z", "request": "r"},
    ]
    assert headers == {"format": b"lines", "lines": b"3"}


@given(bodies, st.binary(max_size=40))
def test_nothing_that_a_record_may_hold_raises(found: Rec, said: bytes) -> None:
    for headers in (found.headers, (*found.headers, ("uploads", said)), (("uploads", None), *found.headers)):
        at = 0
        for one in uploads.held(Rec(0, found.value, headers)):
            assert one.line == at
            at += one.lines
        assert at == batch.lines(Rec(0, found.value, headers))


ONE = json.dumps([line()]).encode()
HONEST = record((ONE, "k", None), (ONE, "l", None))


def lying(*lies: dict[str, object]) -> Rec:
    """The honest record, where this is said of its uploads instead."""
    said = json.loads(dict(HONEST.headers)["uploads"] or b"")
    told = json.dumps([one | lie for one, lie in zip(said, lies, strict=True)]).encode()
    return replace(HONEST, headers=tuple((name, told if name == "uploads" else text) for name, text in HONEST.headers))


@pytest.mark.parametrize(
    "lie",
    [
        {"lines": 2},
        {"lines": 0},
        {"lines": -1},
        {"bytes": 40},
        {"bytes": 1},
        {"lines": "1"},
        {"key": 7},
        {"received": "yesterday"},
    ],
)
def test_what_does_not_fit_what_it_says_of_itself_is_one_upload_without_a_key(lie: dict[str, object]) -> None:
    assert [one.key for one in uploads.held(lying({}, {}))] == [b"k", b"l"]
    assert uploads.held(lying(lie, {})) == [Held(None, b"", HONEST.value or b"", 0, 2)]


@pytest.mark.parametrize(
    "lies",
    [
        ({"lines": 2}, {"lines": 0}),
        ({"lines": 3}, {"lines": -1}),
        ({"bytes": 2 * len(ONE)}, {"bytes": 0}),
    ],
)
def test_lies_that_cancel_out_are_told(lies: tuple[dict[str, object], dict[str, object]]) -> None:
    assert uploads.held(lying(*lies)) == [Held(None, b"", HONEST.value or b"", 0, 2)]
