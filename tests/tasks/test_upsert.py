"""Merging a batch's rollups into those that stand."""

from __future__ import annotations

import threading

from pipeline import histogram, visitors
from pipeline.models import RequestRollup, RouteRollup, VisitorRollup
from pipeline.storage import Store
from tasks.aggregate import Rollups
from tasks.upsert import CHUNK, upsert

BIN = histogram.bins([7])
ONE, TWO, THREE = (histogram.blobs([times], BIN, [1])[0] for times in (1, 2, 3))


def sketch(*addresses: str) -> bytes:
    return visitors.sketch(addresses)


def requests(store: Store) -> list[tuple[object, ...]]:
    return store.read(lambda: list(RequestRollup.select().tuples().order_by(*RequestRollup._meta.sorted_fields[:5])))


def routes(store: Store) -> list[tuple[object, ...]]:
    return store.read(lambda: list(RouteRollup.select().tuples().order_by(*RouteRollup._meta.sorted_fields[:5])))


def sketches(store: Store) -> dict[tuple[int, ...], bytes]:
    return store.read(lambda: {row[:3]: bytes(row[3]) for row in VisitorRollup.select().tuples()})


def test_counts_and_sums_add_and_maxima_are_the_greater(store: Store) -> None:
    for latency_sum, latency_max in ((50, 30), (70, 20), (2**40, 40)):
        found = Rollups([(60, 120, 1, 404, "GET", 2, latency_sum, latency_max, ONE)], [], [])
        store.write(lambda found=found: upsert(store, found))
    assert requests(store) == [(60, 120, 1, 404, "GET", 6, 2**40 + 120, 40, THREE)]


def test_every_part_of_the_key_keeps_counts_apart(store: Store) -> None:
    rows = [
        (60, 0, 0, 404, "GET", 1, 1, 1, ONE),
        (60, 0, 1, 404, "GET", 1, 1, 1, ONE),
        (60, 0, 1, 404, "other", 1, 1, 1, ONE),
        (60, 0, 1, 500, "GET", 1, 1, 1, ONE),
        (60, 60, 1, 404, "GET", 1, 1, 1, ONE),
        (3600, 0, 1, 404, "GET", 1, 1, 1, ONE),
    ]
    store.write(lambda: upsert(store, Rollups(rows, [], [])))
    assert requests(store) == rows


def test_visitors_become_the_union(store: Store) -> None:
    for found in ([((300, 0, 1), ("a1", "10.0.0.1"))], [((300, 0, 1), ("a2", "10.0.0.2")), ((300, 0, 0), ("", "::1"))]):
        deltas = sorted((*key, sketch(addresses[1])) for key, addresses in found)
        store.write(lambda deltas=deltas: upsert(store, Rollups([], [], deltas)))
    assert sketches(store) == {(300, 0, 0): sketch("::1"), (300, 0, 1): sketch("10.0.0.1", "10.0.0.2")}


def test_more_keys_than_a_statement_holds_all_stand(store: Store) -> None:
    count = 2 * CHUNK + 7
    found = Rollups(
        [(60, bucket * 60, 1, 404, "GET", 1, bucket, bucket, ONE) for bucket in range(count)],
        [(300, bucket * 300, 7, 1, 4, 1, bucket, bucket, ONE) for bucket in range(count)],
        [(300, bucket * 300, 1, sketch("10.0.0.1")) for bucket in range(count)],
    )
    for _ in range(2):
        store.write(lambda: upsert(store, found))
    assert {row[5] for row in requests(store)} == {2}
    assert len(requests(store)) == len(routes(store)) == len(sketches(store)) == count
    assert {row[-1] for row in requests(store) + routes(store)} == {TWO}


def test_a_dense_sketch_fits_its_column(store: Store) -> None:
    full = sketch(*(f"10.{n >> 8}.{n & 255}.1" for n in range(40_000)))
    assert len(full) == 1 << visitors.PRECISION
    store.write(lambda: upsert(store, Rollups([], [], [(300, 0, 1, full)])))
    assert sketches(store) == {(300, 0, 1): full}


def test_two_writers_of_the_same_hot_rows_lose_nothing(store: Store) -> None:
    def write(number: int) -> None:
        for n in range(15):
            delta = Rollups(
                [(level, 0, 1, status, "GET", 1, 1, n, ONE) for level in (60, 3600) for status in (404, 500)],
                [(level, 0, route, 1, 4, 1, 1, n, ONE) for level in (300, 3600) for route in (1, 2)],
                [(level, 0, kept, sketch(f"10.{number}.0.{n}")) for level in (300, 3600) for kept in (0, 1)],
            )
            store.write(lambda delta=delta: upsert(store, delta), tries=50)
        store.disconnect()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row[5] for row in requests(store) + routes(store)} == {45}
    assert {row[-1] for row in requests(store) + routes(store)} == {histogram.blobs([45], BIN, [1])[0]}
    everybody = sketch(*(f"10.{number}.0.{n}" for number in range(3) for n in range(15)))
    assert set(sketches(store).values()) == {everybody}
