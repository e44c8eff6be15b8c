"""What a batch holds, and the digest that says that it is still the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import batch
from tests.records import Rec, bodies, upload

records = st.lists(bodies, max_size=4).map(
    lambda found: [replace(record, offset=7 * number) for number, record in enumerate(found)]
)


@given(records, records)
def test_two_batches_have_the_same_digest_only_when_they_are_the_same(one: list[Rec], other: list[Rec]) -> None:
    assert (batch.digest(one) == batch.digest(other)) == (one == other)


@given(st.data())
def test_any_change_of_one_record_changes_the_digest(data: st.DataObject) -> None:
    found = data.draw(records.filter(bool))
    at = data.draw(st.integers(0, len(found) - 1))
    other = data.draw(bodies)
    change = data.draw(st.sampled_from(["offset", "value", "headers"]))
    changed = replace(found[at], **{change: getattr(replace(other, offset=found[at].offset + 1), change)})
    if changed != found[at]:
        assert batch.digest([*found[:at], changed, *found[at + 1 :]]) != batch.digest(found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([Rec(1, b"ab")], [Rec(1, b"a"), Rec(2, b"b")]),
        ([Rec(1, b"a"), Rec(2, b"b")], [Rec(1, b"ab"), Rec(2, b"")]),
        ([Rec(1, b"a"), Rec(2, b"b")], [Rec(2, b"b"), Rec(1, b"a")]),
        ([Rec(1, None)], [Rec(1, b"")]),
        ([Rec(1, b"a", (("k", b"v"),))], [Rec(1, b"a", (("kv", b""),))]),
        ([Rec(1, b"a", (("k", None),))], [Rec(1, b"a", (("k", b""),))]),
        ([Rec(1, b"va", (("k", b""),))], [Rec(1, b"a", (("k", b"v"),))]),
        ([Rec(1, b"", (("k", b"1"), ("l", b"2")))], [Rec(1, b"", (("l", b"2"), ("k", b"1")))]),
        ([Rec(1, b"a")], [Rec(1, b"a"), Rec(2, b"")]),
        ([Rec(11, b"")], [Rec(1, b""), Rec(1, b"")]),
    ],
)
def test_where_one_part_ends_and_the_next_begins_is_in_the_digest(one: list[Rec], other: list[Rec]) -> None:
    assert batch.digest(one) != batch.digest(other)


def test_a_digest_means_the_same_in_every_version() -> None:
    known = [Rec(5, b'["a"]', (("lines", b"1"), ("key", None))), Rec(6, None)]
    assert batch.digest(known).hex() == "b7363636a6d3b9d5a5f9ecf074b94457"


@given(bodies)
def test_counting_never_raises_and_is_never_more_than_the_bytes_could_hold(record: Rec) -> None:
    assert 0 <= batch.lines(record) <= max(1, len(record.value or b""))
    if record.value is None:
        assert batch.lines(record) == 0


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (upload(0, ["a", "b"]), 2),
        (upload(0, ["a", "b"], declared=None), 2),
        (upload(0, [], declared=None), 0),
        (upload(0, ["a", "b"], declared=3), 3),
        (upload(0, ["a", "b"], declared=11), 2),
        (upload(0, ["a", 1, None, []], declared=None), 4),
        (Rec(0, b"not json"), 1),
        (Rec(0, b'{"a": 1}'), 1),
        (Rec(0, b"[" * 100_000), 1),
        (Rec(0, b'["\\ud800"]'), 1),
        (Rec(0, b'["\xff", "b"]'), 1),
        (Rec(0, b'["a","b"]', (("lines", b"-1"),)), 2),
        (Rec(0, b'["a","b"]', (("lines", b"1.0"),)), 2),
        (Rec(0, b'["a","b"]', (("lines", None),)), 2),
        (Rec(0, b'["a","b"]', (("lines", "٣".encode()),)), 2),
        (Rec(0, b'["a","b"]', (("lines", b"9" * 40),)), 2),
        (Rec(0, b'["a","b"]', (("lines", b"2"), ("lines", b"1"))), 2),
        (Rec(0, None, (("lines", b"2"),)), 0),
    ],
)
def test_a_record_counts_for_what_its_header_says_unless_that_cannot_be(record: Rec, lines: int) -> None:
    assert batch.lines(record) == lines


def test_the_first_of_two_headers_counts() -> None:
    record = Rec(0, b"", (("key", b"1"), ("key", b"2"), ("other", None)))
    assert batch.header(record, "key") == b"1"
    assert batch.header(record, "other") is None
    assert batch.header(record, "absent") is None
