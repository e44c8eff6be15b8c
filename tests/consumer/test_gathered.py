"""What was read and is not planned: nothing is skipped, nothing comes twice."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.gathered import (
    CEILING,
    FILLING,
    RATE_SECONDS,
    WORTH_FILLING,
    Gathered,
    is_filling,
    oldest,
    paused,
    waited,
)
from pipeline import batch
from tests.records import Rec, counted


def of(*lines: int, first: int = 0) -> list[Rec]:
    return [counted(first + number, count) for number, count in enumerate(lines)]


sizes = st.one_of(
    st.integers(0, 50),
    st.integers(0, batch.LINES + 5_000),
    st.integers(batch.LINES - 1, batch.LINES + 1),
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_polled_each_record_is_planned_once_and_in_order(data: st.DataObject) -> None:
    log = of(*data.draw(st.lists(sizes, max_size=8)))
    gathered, planned, sought = Gathered(0), [], True
    for _ in range(20):
        # A poll may begin anywhere: after a rebalance the client hands over what it had.
        start = data.draw(st.one_of(st.just(gathered.position), st.integers(0, len(log))))
        polled = log[start : start + data.draw(st.integers(0, 4))]
        if gathered.take(polled, 0.0, sought and start == gathered.position):
            sought = sought and not polled
        else:
            assert start != gathered.position
            sought = True
        if data.draw(st.booleans()):
            records, lines = gathered.head()
            assert lines == sum(map(batch.lines, records))
            assert lines <= batch.LINES or len(records) == 1
            gathered.planned(len(records))
            planned += records
            assert gathered.next_plan == len(planned)
    assert planned == log[: len(planned)]
    assert gathered.lines == sum(map(batch.lines, log[len(planned) : gathered.position]))


def test_a_hole_is_believed_only_right_after_our_own_seek() -> None:
    gathered = Gathered(5)
    assert not gathered.take(of(1, first=7), 0.0, sought=False)
    assert (gathered.position, gathered.lines) == (5, 0)
    assert gathered.take(of(1, first=7), 0.0, sought=True)
    assert (gathered.position, gathered.lines) == (8, 1)


def test_a_record_from_before_the_position_is_never_taken() -> None:
    gathered = Gathered(5)
    assert not gathered.take(of(1, first=4), 0.0, sought=True)
    assert (gathered.position, gathered.lines, gathered.since) == (5, 0, None)


def test_a_log_s_own_holes_stay_inside_a_batch() -> None:
    gathered = Gathered(0)
    gathered.take([counted(0, 1), counted(9, 1)], 0.0, sought=False)
    records, _ = gathered.head()
    gathered.planned(len(records))
    assert gathered.next_plan == gathered.position == 10


def test_a_batch_is_due_when_it_is_full_or_its_oldest_record_has_waited() -> None:
    gathered = Gathered(0)
    assert not gathered.due(100.0, 1.0)
    gathered.take(of(1), 100.0, sought=True)
    gathered.take(of(1, first=1), 100.9, sought=False)
    assert not gathered.due(100.99, 1.0)
    assert gathered.due(101.0, 1.0)
    gathered.take(of(batch.LINES, first=2), 100.9, sought=False)
    assert gathered.due(100.9, 1.0)


def test_one_upload_larger_than_a_batch_is_a_batch_of_its_own() -> None:
    gathered = Gathered(0)
    gathered.take(of(10, 50_000, 10), 0.0, sought=True)
    heads = []
    while gathered.lines:
        records, lines = gathered.head()
        heads.append(lines)
        gathered.planned(len(records))
    assert heads == [10, 50_000, 10]


def test_a_batch_and_what_is_gathered_are_bounded_in_bytes_too() -> None:
    # A record that is no array counts for one line, whatever its size: LINES of these would fill any memory.
    gathered = Gathered(0)
    large = [Rec(number, b"x" * (batch.BYTES // 4)) for number in range(16)]
    gathered.take(large[:3], 0.0, sought=True)
    assert not gathered.due(0.0, 1.0)
    gathered.take(large[3:], 0.0, sought=False)
    assert gathered.due(0.0, 1.0)
    assert paused(gathered, 0, 64, was_paused=False)
    records, _ = gathered.head()
    assert len(records) == 4
    gathered.planned(12)
    assert not paused(gathered, 0, 64, was_paused=True)


def test_a_batch_and_what_is_gathered_are_bounded_in_records_that_are_no_uploads() -> None:
    gathered = Gathered(0)
    gathered.take(of(*[0] * (CEILING * batch.LINES)), 0.0, sought=True)
    assert paused(gathered, 0, 64, was_paused=False)
    records, lines = gathered.head()
    assert (len(records), lines) == (batch.LINES, 0)
    gathered.planned(2 * batch.LINES + 1)
    assert not gathered.due(0.0, 1.0)


def test_the_partition_that_waited_longest_comes_first() -> None:
    parts = {part: Gathered(0) for part in range(3)}
    assert oldest(parts) is None
    parts[1].take(of(1), 7.0, sought=True)
    parts[2].take(of(1), 6.0, sought=True)
    assert oldest(parts) == 2


def test_what_waits_is_as_old_as_its_oldest_record() -> None:
    parts = {part: Gathered(0) for part in range(3)}
    assert waited(parts, 9.0) is None
    parts[1].take(of(1), 7.0, sought=True)
    parts[2].take(of(1), 6.0, sought=True)
    assert waited(parts, 9.0) == 3.0


def test_a_batch_is_waited_for_where_much_of_it_comes_soon_wherever_it_comes() -> None:
    enough = math.ceil(batch.LINES * WORTH_FILLING / FILLING * 0.1)  # in a tenth of a second
    parts = {part: Gathered(0) for part in range(3)}
    assert not is_filling({}, 0.0, 0.1)
    assert not is_filling(parts, 0.0, 0.1)
    parts[0].take(of(enough // 2), 0.1, sought=True)
    assert not is_filling(parts, 0.0, 0.1)
    parts[2].take(of(enough - enough // 2), 0.1, sought=True)
    assert is_filling(parts, 0.0, 0.1)
    assert not is_filling(parts, -0.1, 0.1)


def test_a_batch_is_not_waited_for_once_its_oldest_record_has_waited() -> None:
    parts = {0: Gathered(0)}
    parts[0].take(of(batch.LINES - 1), 5.0, sought=True)
    assert is_filling(parts, 5.0, 5.0 + FILLING - 0.01)
    assert not is_filling(parts, 5.0, 5.0 + FILLING)


def test_a_full_batch_is_not_waited_for() -> None:
    parts = {part: Gathered(0) for part in range(2)}
    parts[0].take(of(batch.LINES - 1), 5.0, sought=True)
    parts[1].take(of(1), 5.0, sought=True)
    assert is_filling(parts, 5.0, 5.1)
    parts[0].take(of(1, first=1), 5.0, sought=False)
    assert not is_filling(parts, 5.0, 5.1)


def test_what_one_poll_brings_right_after_a_batch_is_little_of_a_rate() -> None:
    parts = {0: Gathered(0)}
    parts[0].take(of(math.floor(batch.LINES * WORTH_FILLING / FILLING * RATE_SECONDS) - 1), 5.0, sought=True)
    assert not is_filling(parts, 5.0, 5.001)


@given(st.lists(st.integers(0, 130), max_size=40), st.integers(1, 64))
def test_a_partition_rests_at_the_limit_until_half_of_it_is_done(pendings: list[int], limit: int) -> None:
    resting = False
    for pending in pendings:
        before, resting = resting, paused(Gathered(0), pending, limit, resting)
        if pending >= limit:
            assert resting
        elif pending <= limit // 2:
            assert not resting
        else:
            assert resting == before


def test_a_partition_rests_while_too_much_of_it_is_gathered() -> None:
    gathered = Gathered(0)
    gathered.take(of(CEILING * batch.LINES - 1), 0.0, sought=True)
    assert not paused(gathered, 0, 64, was_paused=False)
    gathered.take(of(1, first=1), 0.0, sought=False)
    assert paused(gathered, 0, 64, was_paused=False)
