"""Rollups equal a recount of every line, at all of their levels."""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from datetime import UTC, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import histogram, visitors
from pipeline.rollup import METHODS, REQUEST_LEVELS, ROUTE_LEVELS, VISITOR_LEVELS
from tasks.aggregate import Rollups, aggregate
from tasks.frame import MINUTE, SCHEMA, parse
from tests.records import line, upload

KEPT = frozenset({404, 500, 301})


def frame_of(lines: list[str]) -> pl.DataFrame:
    frame = parse([upload(0, lines)]).frame
    assert len(frame) == len(lines)
    return frame.with_columns(
        pl.col("status").is_in(sorted(KEPT)).alias("kept"), pl.col("path").str.len_chars().cast(pl.Int64).alias("route")
    )


def recount(frame: pl.DataFrame) -> Rollups:
    """A line at a time."""
    requests: dict[tuple[int, int, int, int, str], list[int]] = defaultdict(list)
    routes: dict[tuple[int, int, int, int, int], list[int]] = defaultdict(list)
    addresses: dict[tuple[int, int, int], set[str]] = defaultdict(set)
    for row in frame.to_dicts():
        second = int(datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp())
        kept = int(row["status"] in KEPT)
        method = row["method"] if row["method"] in METHODS else "other"
        for level in REQUEST_LEVELS:
            requests[level, second - second % level, kept, row["status"], method].append(row["latency"])
        for level in ROUTE_LEVELS:
            key = (level, second - second % level, len(row["path"]), kept, row["status"] // 100)
            routes[key].append(row["latency"])
        for level in VISITOR_LEVELS:
            addresses[level, second - second % level, kept].add(row["ip"])
    return Rollups(
        [(*key, *counted(found)) for key, found in sorted(requests.items())],
        [(*key, *counted(found)) for key, found in sorted(routes.items())],
        [(*key, visitors.sketch(sorted(ips))) for key, ips in sorted(addresses.items())],
    )


def counted(latencies: list[int]) -> tuple[int, int, int, bytes]:
    """Requests, the latencies' sum and maximum, and their histogram, two bytes of bin and four of count an entry."""
    bins = Counter(int(number) for number in histogram.bins(latencies))
    entries = b"".join(struct.pack("<HI", *entry) for entry in sorted(bins.items()))
    return len(latencies), sum(latencies), max(latencies), entries


times = st.one_of(
    st.sampled_from(
        ["1970-01-01T00:00:00Z", "2025-06-10T23:59:59.999999Z", "2025-06-11T00:00:00Z", "2099-12-31T23:59:59.9Z"]
    ),
    st.datetimes(datetime(2025, 6, 10), datetime(2025, 6, 12)).map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"),  # noqa: DTZ001 (naive UTC)
    st.datetimes(datetime(2025, 6, 10), datetime(2025, 6, 12)).map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}-03:30"),  # noqa: DTZ001 (naive UTC)
)
lines = st.builds(
    line,
    status=st.sampled_from([200, 200, 301, 404, 500, 599]),
    ip=st.one_of(
        st.integers(1, 5).map(lambda n: f"10.0.0.{n}"),
        st.ip_addresses(v=4).map(str),
        st.ip_addresses(v=6).map(str),
        st.just("::ffff:10.0.0.1"),
    ),
    time=times,
    method=st.sampled_from([*METHODS[:3], "PROPFIND", "LOCK"]),
    path=st.sampled_from(["/", "/products", "/products/42"]),
    latency=st.one_of(st.integers(0, 3000), st.just(2**31 - 1)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(lines, max_size=40))
def test_every_level_equals_a_recount(found: list[str]) -> None:
    frame = frame_of(found)
    assert aggregate(frame) == recount(frame)


def test_many_addresses_make_the_same_sketch_in_steps_as_at_once() -> None:
    found = [
        line(ip=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", time=f"2025-06-10T{n % 24:02}:{n % 60:02}:00Z")
        for n in range(20_000)
    ]
    frame = frame_of(found)
    assert aggregate(frame).visitors == recount(frame).visitors


def test_sums_do_not_overflow() -> None:
    frame = frame_of([line(latency=2**31 - 1)] * 5)
    assert {row[-3:-1] for row in aggregate(frame).requests} == {(5 * (2**31 - 1), 2**31 - 1)}


def test_nothing_adds_nothing() -> None:
    columns = MINUTE, pl.lit(True).alias("kept"), pl.lit(0, pl.Int64).alias("route")
    empty = pl.DataFrame(schema=SCHEMA).with_columns(columns)
    assert aggregate(empty) == Rollups([], [], [])
