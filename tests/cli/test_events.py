"""Server-sent events, however the stream is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli.events import Event, Events

STREAM = (
    "\ufeff: a comment\nretry: 3\n\nid: 1\nevent: line\ndata: é\n\ndata:two\ndata: lines\n\n"
    "id\nevent: empty\n\ndata\n\nid: a\0b\ndata: x\n\ndata: cut short"
)
EVENTS = [
    Event("1", "line", "é"),
    Event("1", "message", "two\nlines"),
    Event("", "message", ""),
    Event("", "message", "x"),
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@example(cuts=list(range(200)))
@given(cuts=st.lists(st.integers(0, 200)))
def test_events_are_the_same_however_the_stream_is_cut(end: str, cuts: list[int]) -> None:
    sent = STREAM.replace("\n", end).encode()
    edges = [0, *sorted(cuts), len(sent)]
    events = Events()
    pieces = [sent[first:last] for first, last in pairwise(edges)]
    assert [event for piece in pieces for event in events.feed(piece)] == EVENTS
