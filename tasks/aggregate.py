"""A frame of lines as the rollups' deltas. Pure."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from pipeline import rollup, visitors


class Rollups(NamedTuple):
    """What a batch adds to the rollups, sorted by key.

    `requests`: (level, bucket, kept, status, method, requests, latency_sum, latency_max);
    `visitors`: (level, bucket, kept, sketch).
    """

    requests: list[tuple[int, int, int, int, str, int, int, int]]
    visitors: list[tuple[int, int, int, bytes]]


def aggregate(frame: pl.DataFrame) -> Rollups:
    """The deltas of a frame of lines (`tasks.frame.SCHEMA` and `kept`, a boolean)."""
    index, rank = visitors.ranks(visitors.hashes(frame["ip"]))
    lines = frame.lazy().with_columns(
        pl.col("time").str.slice(0, 16).str.to_datetime("%Y-%m-%dT%H:%M").dt.epoch("s").alias("minute"),
        pl.col("kept").cast(pl.UInt8),
        pl.Series("index", index),
        pl.Series("rank", rank),
    )
    # Both start from the same minutes: collected together, they are made once.
    requests, registers = pl.collect_all([_requests(lines), _registers(lines)])
    return Rollups(requests.rows(), _sketches(registers))


def _requests(lines: pl.LazyFrame) -> pl.LazyFrame:
    known = pl.col("method").is_in(rollup.METHODS)
    minutes = lines.group_by(
        "minute", "kept", "status", pl.when(known).then("method").otherwise(pl.lit(rollup.OTHER_METHOD)).alias("method")
    ).agg(
        pl.len().cast(pl.Int64).alias("requests"),
        pl.col("latency").cast(pl.Int64).sum().alias("latency_sum"),
        pl.col("latency").max().cast(pl.Int64).alias("latency_max"),
    )
    levels = [
        minutes.group_by(
            pl.lit(level).alias("level"), _start("minute", level).alias("bucket"), "kept", "status", "method"
        ).agg(pl.col("requests", "latency_sum").sum(), pl.col("latency_max").max())
        for level in rollup.REQUEST_LEVELS
    ]
    return pl.concat(levels).sort("level", "bucket", "kept", "status", "method")


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
