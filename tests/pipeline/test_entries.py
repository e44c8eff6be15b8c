"""A scan: all ids once, newest first, in pieces that keep to a budget."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from peewee import fn

from pipeline import blocks, entries
from pipeline.entries import Piece, Scan, among, matching
from pipeline.models import LogEntry
from pipeline.selection import Network, OneOf, Selection
from pipeline.storage import Store
from pipeline.window import Window
from tasks import blocks as noted
from tests.stores import Seen, put

AT = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
SECOND = 1_000_000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (blocks, noted):
        monkeypatch.setattr(module, "BLOCK", 16)
    monkeypatch.setattr(entries, "_FIRST_PIECE", 4)
    monkeypatch.setattr(entries, "_SMALLEST_PIECE", 2)
    monkeypatch.setattr(entries, "_NEAR", 3)


def filled(store: Store, count: int = 100) -> int:
    """Stores a line a second; returns the first id."""
    put(store, [Seen(AT + timedelta(seconds=n)) for n in range(count)])
    return store.read(lambda: int(LogEntry.select(fn.MIN(LogEntry.id)).scalar()))


def pieces(store: Store, window: Window | None, seconds: float = 0.0, **options: int) -> tuple[list[Piece], Scan]:
    """All pieces of a scan each of whose queries takes `seconds`."""

    def work() -> tuple[list[Piece], Scan]:
        clock = Clock()
        scan = Scan(window, options.pop("deadline", math.inf), clock=clock, **options)
        found = []
        for piece in scan:
            clock.now += seconds
            found.append(piece)
        return found, scan

    return store.read(work)


def ids(found: list[Piece]) -> list[int]:
    """The ids of pieces, as they come."""
    return [id for piece in found for id in range(piece.last, piece.first - 1, -1)]


def test_without_a_window_every_id_is_in_one_piece_newest_first(store: Store) -> None:
    first = filled(store)
    found, scan = pieces(store, None)
    assert ids(found) == list(range(first + 99, first - 1, -1))
    assert (scan.complete, scan.share, scan.next_below, scan.rows) == (True, 1.0, 0, 100)
    found, _ = pieces(store, None, below=first + 50, above=first + 9)
    assert ids(found) == list(range(first + 49, first + 9, -1))
    for options in ({"below": first}, {"above": first + 99}, {"below": first + 5, "above": first + 5}):
        assert pieces(store, None, **options)[0] == []


def test_nothing_is_a_complete_scan(store: Store) -> None:
    for window in (None, Window(0, 10**15)):
        found, scan = pieces(store, window)
        assert (found, scan.complete, scan.share) == ([], True, 1.0)


def test_a_window_leads_to_the_blocks_that_hold_it_and_to_no_others(store: Store) -> None:
    first = filled(store, 100)
    put(store, [Seen(AT - timedelta(days=9)) for _ in range(100)])
    put(store, [Seen(AT, path="/late")])
    start = int(AT.timestamp()) * SECOND
    found, _ = pieces(store, Window(start, start + 60 * SECOND))
    assert ids(found)[0] == first + 200
    assert set(range(first, first + 60)) <= set(ids(found)) <= {*range(first, first + 60), first + 200}


def test_quick_pieces_grow_and_slow_ones_shrink(store: Store) -> None:
    filled(store, 200)
    quick, _ = pieces(store, None, 0.0)
    assert [piece.last - piece.first + 1 for piece in quick][:4] == [4, 16, 64, 116]
    slow, _ = pieces(store, None, 1.0)
    assert {piece.last - piece.first + 1 for piece in slow[1:]} == {2}


def test_a_scan_out_of_time_says_where_it_ended_and_is_gone_on_with(store: Store) -> None:
    first = filled(store)
    found, scan = pieces(store, None, 1.0, deadline=2)
    assert not scan.complete
    assert scan.next_below == found[-1].first
    assert 0 < scan.share < 1
    rest, scan = pieces(store, None, below=scan.next_below)
    assert ids(found + rest) == list(range(first + 99, first - 1, -1))
    assert scan.complete


def test_a_scan_without_any_time_makes_progress(store: Store) -> None:
    first, below, seen = filled(store, 30), None, []
    while below != 0:
        found, scan = pieces(store, None, 1.0, deadline=0, **({"below": below} if below else {}))
        seen += ids(found)
        below = scan.next_below
    assert seen == list(range(first + 29, first - 1, -1))


def test_statuses_become_as_few_ranges_as_they_make(store: Store) -> None:
    put(store, [Seen(AT, status=status) for status in range(100, 600) if status != 200])
    for statuses in ({404}, {404, 405, 406, 500}, set(range(500, 600)), set(range(100, 600, 2)), set(range(100, 600))):
        query = LogEntry.select(LogEntry.status).where(among(LogEntry.status, frozenset(statuses))).tuples()
        found = [status for (status,) in store.read(lambda query=query: list(query))]  # type: ignore[misc]
        assert set(found) == statuses - {200}
        assert len(found) == len(set(found))


def test_hundreds_of_networks_are_one_condition_of_no_great_depth(store: Store) -> None:
    put(store, [Seen(AT, f"10.0.{n}.7") for n in range(50)])
    networks = tuple(Network(bytes([10, 0, n, 0]), bytes([10, 0, n, 255])) for n in range(0, 50, 2)) + tuple(
        Network(bytes([11, n // 256, n % 256, 0]), bytes([11, n // 256, n % 256, 255])) for n in range(900)
    )
    for negated in (False, True):
        query = LogEntry.select(fn.COUNT(LogEntry.id)).where(matching(Selection(ip=OneOf(networks, negated))))
        assert store.read(query.scalar) == 25
