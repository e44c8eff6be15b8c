"""Where the entries of a stretch of time are, against a look at every entry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline import blocks
from pipeline.blocks import stretches
from pipeline.models import LogEntry
from pipeline.storage import Store
from tasks import blocks as noted
from tests.stores import Seen, empty, put

AT = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
SIZE = 8

_minutes = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=15), min_size=1, max_size=4)
_ends = st.none() | st.integers(-1, 7)


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=_minutes, first=_ends, end=_ends, below=st.none() | st.integers(-2, 60), late=st.integers(0, 59))
def test_every_entry_of_the_time_is_in_a_stretch_and_each_stretch_in_one_block(
    store: Store, batches: list[list[int]], first: int | None, end: int | None, below: int | None, late: int
) -> None:
    empty(store)
    with pytest.MonkeyPatch.context() as patched:
        for module in (blocks, noted):
            patched.setattr(module, "BLOCK", SIZE)
        for batch in batches:
            put(store, [Seen(AT + timedelta(minutes=minute, seconds=late)) for minute in batch])
    rows = store.read(lambda: list(LogEntry.select(LogEntry.id, LogEntry.timestamp).tuples()))
    origin = rows[0][0]
    below = None if below is None else origin + below
    seconds = [None if at is None else int(AT.timestamp()) + 60 * at for at in (first, end)]
    found = store.read(lambda: stretches(*seconds, below))

    def asked(at: datetime) -> bool:
        minute = int((at.replace(tzinfo=UTC) - AT).total_seconds()) // 60
        return (first is None or minute >= first) and (end is None or minute < end)

    expected = {id for id, at in rows if asked(at) and (below is None or id < below)}
    inside = [id for one in found for id in range(one.last, one.first - 1, -1)]
    assert expected <= set(inside)
    assert inside == sorted(set(inside), reverse=True)
    assert all(one.first // SIZE == one.last // SIZE for one in found)
    assert below is None or all(one.last < below for one in found)
    assert sum(one.entries for one in found) >= len(expected)
    if below is None:
        assert sum(one.entries for one in found) == len(expected)
