"""Fills a database as the workers do, without what stands before them: from columns on, by the actor's own steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import polars as pl

from cli.bench.traffic import KEPT, SECONDS, Traffic
from pipeline.routes import Routes
from pipeline.storage import Store
from tasks import blocks, rows
from tasks.admission import Admission
from tasks.aggregate import Rollups, aggregate
from tasks.templates import Templates
from tasks.upsert import upsert

# Lines a transaction: some 20,000 of them are stored.
LINES: Final = 50_000
_WORTH_IT: Final = 500
_ROUTES_A_DAY: Final = 1_000


def fill(store: Store, stored: int, seed: int, progress: Callable[[int], None]) -> int:
    """Stores about `stored` rows, dated over the eight days that end when it returns; returns how many they are.

    `progress` is told how many rows each transaction had.
    """
    traffic = Traffic(round(stored / KEPT), time.time() - SECONDS, seed)
    templates, admission = Templates(Routes.of(None)), Admission(store, _ROUTES_A_DAY)
    first, total = 0, 0
    with ThreadPoolExecutor(1) as writer:
        pending: Future[int] | None = None
        # What is due in the meantime is stored as well: an hour of filling leaves no hour without rows.
        while (count := min(LINES, traffic.due(time.time()) - first)) > _WORTH_IT:
            lines = traffic.frame(first, count)
            first += count
            named = admission.named(lines.with_columns(templates.of(lines["path"]).alias("template")))
            named = named.with_columns((pl.col("status") != 200).alias("kept"))
            rollups = aggregate(named)
            if pending:
                total += _told(pending, progress)
            pending = writer.submit(_write, store, named.filter("kept"), rollups)
        if pending:
            total += _told(pending, progress)
        writer.submit(store.disconnect).result()
    store.disconnect()
    return total


def _write(store: Store, kept: pl.DataFrame, rollups: Rollups) -> int:
    def work() -> None:
        if len(kept):
            blocks.note(store, kept, rows.insert(store, kept, 0))
        upsert(store, rollups)

    store.write(work)
    return len(kept)


def _told(pending: Future[int], progress: Callable[[int], None]) -> int:
    number = pending.result()
    progress(number)
    return number
