"""Which routes are counted by name: so many a day, first come, first served, for good."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.models import Route, RouteDay
from pipeline.routes import OTHER_ID
from pipeline.storage import Store
from tasks.admission import Admission
from tasks.frame import MINUTE, SCHEMA
from tests.stores import Seen, empty, named

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def frame(found: Sequence[tuple[datetime, str]]) -> pl.DataFrame:
    """Lines of these times and templates."""
    rows = [(n, n, f"{at:%Y-%m-%dT%H:%M:%S.%f}", "::1", "GET", path, 404, 1) for n, (at, path) in enumerate(found)]
    templates = [path for _, path in found]
    # In an order that is nobody else's.
    kind = pl.Enum(sorted({*templates}, reverse=True))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(
        MINUTE, pl.Series("template", templates, dtype=kind)
    )


def admitted(admission: Admission, *paths: str, at: datetime = NOON) -> list[int]:
    """The ids that templates get, of lines of one time."""
    return admission.named(frame([(at, path) for path in paths]))["route"].to_list()


def test_the_cap_is_a_days_and_the_rest_is_other(store: Store) -> None:
    admission = Admission(store, 2)
    first = admitted(admission, "/a", "/b", "/c")
    assert first[2] == OTHER_ID
    assert len({*first}) == 3
    assert admitted(admission, "/c", "/b", "/a") == first[::-1]
    # The next day has as much room, and the ids are the same.
    next_day = admitted(admission, "/c", "/a", at=NOON + DAY)
    assert next_day[1] == first[0]
    assert OTHER_ID not in next_day
    assert admitted(admission, "/b", "/c", at=NOON + DAY) == [OTHER_ID, next_day[0]]
    assert admitted(admission, "/c", at=NOON) == [OTHER_ID]


def test_the_busiest_come_first(store: Store) -> None:
    found = admitted(Admission(store, 1), "/a", "/z", "/b", "/z")
    assert [id != OTHER_ID for id in found] == [False, True, False, True]


def test_a_day_begins_at_midnight_utc(store: Store) -> None:
    midnight = NOON.replace(hour=0)
    lines = frame([(midnight - timedelta(microseconds=1), "/a"), (midnight, "/b"), (midnight - DAY, "/c")])
    found = Admission(store, 1).named(lines)["route"].to_list()
    assert [id != OTHER_ID for id in found] == [True, True, False]


def test_ids_outlive_the_process_and_a_batch_executed_again_gets_the_same(store: Store) -> None:
    batch = ["/a", "/b", "/c", "/d"]
    first = admitted(Admission(store, 3), *batch)
    admitted(Admission(store, 3), "/e", "/f")
    assert admitted(Admission(store, 3), *batch) == first
    # A higher cap admits more, and changes nobody.
    more = admitted(Admission(store, 4), *batch)
    assert more[:3] == first[:3]
    assert more[3] != OTHER_ID
    # A lower one forgets nobody.
    assert admitted(Admission(store, 1), *batch) == more


def test_case_and_slashes_make_another_route(store: Store) -> None:
    assert len({*admitted(Admission(store, 9), "/a", "/A", "/a/", "//a", "/é", "/e")}) == 6


def test_with_no_room_all_are_other(store: Store) -> None:
    assert admitted(Admission(store, 0), "/a", "/b") == [OTHER_ID, OTHER_ID]


def test_nothing_asks_for_nothing(store: Store) -> None:
    assert admitted(Admission(store, 1)) == []
    assert store.read(lambda: RouteDay.select().count()) == 0


def test_two_workers_at_the_cap_admit_no_more_than_it_and_agree(store: Store) -> None:
    most, rounds = 30, 8
    results: list[dict[str, int]] = [{}, {}, {}]
    barrier = threading.Barrier(len(results), timeout=20)

    def work(number: int) -> None:
        # Two threads of one process, and one of another.
        admission = shared if number < 2 else Admission(store, most)
        for turn in range(rounds):
            barrier.wait()
            paths = [f"/{(7 * n + 5 * number) % 60}" for n in range(turn * 3, turn * 3 + 12)]
            for path, id in zip(paths, admitted(admission, *paths), strict=True):
                known = results[number].setdefault(path, id)
                # What is other now may only have been so all day.
                assert known == id
        store.disconnect()

    shared = Admission(store, most)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [{path: id for path, id in found.items() if id != OTHER_ID} for found in results]
    together = ids[0] | ids[1] | ids[2]
    assert all(together[path] == id for found in ids for path, id in found.items())
    assert len({*together.values()}) == len(together) == most
    assert store.read(lambda: RouteDay.select().where(RouteDay.route != OTHER_ID).count()) == most
    templates = store.read(lambda: dict(Route.select(Route.template, Route.id).tuples()))
    assert templates == together


_paths = st.sampled_from([f"/{letter}" for letter in "abcdefg"])
_batches = st.lists(st.lists(st.tuples(st.sampled_from([NOON, NOON - DAY]), _paths), max_size=6), max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=_batches, most=st.integers(0, 4), forgetful=st.booleans())
def test_it_equals_a_recount(store: Store, found: list[list[tuple[datetime, str]]], most: int, forgetful: bool) -> None:
    empty(store)
    admission = Admission(store, most)
    expected = named([[Seen(at, path=path) for at, path in batch] for batch in found], most)
    for batch, lines in zip(found, expected, strict=True):
        routes = (Admission(store, most) if forgetful else admission).named(frame(batch))["route"].to_list()
        known = store.read(lambda: dict(Route.select(Route.id, Route.template).tuples()))
        assert [known.get(id, "other") for id in routes] == [line.route for line in lines]


def test_many_days_are_not_all_remembered(store: Store) -> None:
    admission = Admission(store, 1)
    days = [NOON - n * DAY for n in range(70)]
    first = admission.named(frame([(day, "/a") for day in days]))["route"].to_list()
    assert len({*first}) == 1
    assert len(admission._days) <= 64
    assert admitted(admission, "/b", at=days[0]) == admitted(admission, "/b", at=days[-1]) == [OTHER_ID]
