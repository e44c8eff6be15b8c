"""A frame of lines as the rollups' deltas. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from pipeline import histogram, rollup, visitors


class Rollups(NamedTuple):
    """What a batch adds to the rollups, sorted by key.

    `requests`: (level, bucket, kept, status, method, requests, latency_sum, latency_max, latency);
    `routes`: (level, bucket, route, kept, class, requests, latency_sum, latency_max, latency);
    `visitors`: (level, bucket, kept, sketch).
    """

    requests: list[tuple[Any, ...]]
    routes: list[tuple[Any, ...]]
    visitors: list[tuple[int, int, int, bytes]]


def aggregate(frame: pl.DataFrame) -> Rollups:
    """The deltas of a frame of lines (`tasks.frame.SCHEMA`, `kept`, a boolean, and `route`, an id)."""
    index, rank = visitors.ranks(visitors.hashes(frame["ip"]))
    known = pl.col("method").is_in(rollup.METHODS)
    lines = frame.lazy().select(
        pl.col("time").str.slice(0, 16).str.to_datetime("%Y-%m-%dT%H:%M").dt.epoch("s").alias("minute"),
        pl.col("kept").cast(pl.UInt8),
        "status",
        pl.when(known).then("method").otherwise(pl.lit(rollup.OTHER_METHOD)).alias("method"),
        "route",
        (pl.col("status") // 100).alias("class"),
        pl.col("latency").cast(pl.Int64),
        pl.Series("bin", histogram.bins(frame["latency"])),
        pl.Series("index", index),
        pl.Series("rank", rank),
    )
    # All start from the same lines: collected together, those are made once.
    requests, routes, registers = pl.collect_all(
        [
            _counted(lines, rollup.REQUEST_LEVELS, ("kept", "status", "method")),
            _counted(lines, rollup.ROUTE_LEVELS, ("route", "kept", "class")),
            _registers(lines),
        ]
    )
    return Rollups(_rows(requests), _rows(routes), _sketches(registers))


def _counted(lines: pl.LazyFrame, levels: Sequence[int], by: Sequence[str]) -> pl.LazyFrame:
    """The lines at every level as counts, sums and maxima by what stands in `by` and by latency bin, sorted."""
    finest = lines.group_by(_start("minute", levels[0]).alias("bucket"), *by, "bin").agg(
        pl.len().cast(pl.Int64).alias("requests"),
        pl.col("latency").sum().alias("latency_sum"),
        pl.col("latency").max().alias("latency_max"),
    )
    merged = (pl.col("requests", "latency_sum").sum(), pl.col("latency_max").max())
    wider = [
        finest.group_by(_start("bucket", level).alias("bucket"), *by, "bin").agg(*merged).select(_level(level))
        for level in levels[1:]
    ]
    return pl.concat([finest.select(_level(levels[0])), *wider]).sort("level", "bucket", *by, "bin")


def _rows(counted: pl.DataFrame) -> list[tuple[Any, ...]]:
    """One row a key, its histogram made of its bins."""
    key = counted.columns[: counted.columns.index("bin")]
    merged = (pl.col("requests", "latency_sum").sum(), pl.col("latency_max").max(), pl.len().alias("bins"))
    rows = counted.group_by(key, maintain_order=True).agg(*merged)
    latencies = histogram.blobs(counted["requests"].to_numpy(), counted["bin"].to_numpy(), rows["bins"].to_list())
    return [(*row, latency) for row, latency in zip(rows.drop("bins").rows(), latencies, strict=True)]


def _registers(lines: pl.LazyFrame) -> pl.LazyFrame:
    """The HyperLogLog registers that the finest visitor buckets come to."""
    bucket = _start("minute", rollup.FIVE_MINUTES).alias("bucket")
    return lines.group_by(bucket, "kept", "index").agg(pl.col("rank").max())


def _sketches(registers: pl.DataFrame) -> list[tuple[int, int, int, bytes]]:
    """The sketches of the finest level, and of the wider ones as their unions."""
    levels: dict[int, dict[tuple[int, int], list[bytes]]] = {level: {} for level in rollup.VISITOR_LEVELS}
    for (bucket, kept), of_one in registers.partition_by("bucket", "kept", as_dict=True, include_key=False).items():
        sketch = visitors.from_ranks(of_one["index"].to_numpy(), of_one["rank"].to_numpy())
        for level, buckets in levels.items():
            buckets.setdefault((bucket - bucket % level, kept), []).append(sketch)
    return sorted(
        (level, bucket, kept, sketches[0] if len(sketches) == 1 else visitors.merge(sketches))
        for level, buckets in levels.items()
        for (bucket, kept), sketches in buckets.items()
    )


def _start(column: str, level: int) -> pl.Expr:
    """The start of the bucket of another width that a bucket's start falls into."""
    return pl.col(column) - pl.col(column) % level


def _level(level: int) -> tuple[pl.Expr, pl.Expr]:
    return pl.lit(level).alias("level"), pl.all()
