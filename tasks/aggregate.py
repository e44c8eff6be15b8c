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
    lines = frame.with_columns(
        pl.col("time").str.slice(0, 16).str.to_datetime("%Y-%m-%dT%H:%M").dt.epoch("s").alias("minute"),
        pl.col("kept").cast(pl.UInt8),
    )
    return Rollups(_requests(lines), _visitors(lines))


def _requests(lines: pl.DataFrame) -> list[tuple[int, int, int, int, str, int, int, int]]:
    known = pl.col("method").is_in(rollup.METHODS)
    minutes = lines.group_by(
        "minute", "kept", "status", pl.when(known).then("method").otherwise(pl.lit(rollup.OTHER_METHOD)).alias("method")
    ).agg(
        pl.len().cast(pl.Int64).alias("requests"),
        pl.col("latency").cast(pl.Int64).sum().alias("latency_sum"),
        pl.col("latency").max().cast(pl.Int64).alias("latency_max"),
    )
    levels = [
        _at(minutes, level)
        .group_by("level", "bucket", "kept", "status", "method")
        .agg(pl.col("requests", "latency_sum").sum(), pl.col("latency_max").max())
        for level in rollup.REQUEST_LEVELS
    ]
    return pl.concat(levels).sort("level", "bucket", "kept", "status", "method").rows()


def _visitors(lines: pl.DataFrame) -> list[tuple[int, int, int, bytes]]:
    index, rank = visitors.ranks(visitors.hashes(lines["ip"]))
    seen = lines.select("minute", "kept").with_columns(pl.Series("index", index), pl.Series("rank", rank))
    sketches = []
    for level in rollup.VISITOR_LEVELS:
        # The finest level is reduced first; the wider ones are made of what is left of it.
        seen = _at(seen, level).group_by("level", "bucket", "kept", "index").agg(pl.col("rank").max())
        for (_, bucket, kept), of_one in seen.group_by("level", "bucket", "kept"):
            ranks = visitors.from_ranks(of_one["index"].to_numpy(), of_one["rank"].to_numpy())
            sketches.append((level, int(str(bucket)), int(str(kept)), ranks))
        seen = seen.rename({"bucket": "minute"})
    return sorted(sketches)


def _at(buckets: pl.DataFrame, level: int) -> pl.DataFrame:
    """The same rows in buckets of another width."""
    return buckets.with_columns(
        pl.lit(level, dtype=pl.Int32).alias("level"), (pl.col("minute") - pl.col("minute") % level).alias("bucket")
    )
