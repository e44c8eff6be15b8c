"""The rig: the pipeline under load, with the instruments that say what a trial cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from peewee import fn

from cli.bench.hops import Hops
from cli.bench.load import Plan, Sent
from cli.bench.loading import loading, sent_by
from cli.bench.sightings import Seen, sightings
from cli.bench.trial import Spread, Trial, Workload
from cli.bench.usage import Usage
from cli.child import wait_until
from pipeline.errors import TallyError
from pipeline.models import Batch, LogEntry
from pipeline.storage import Store

DRAIN_SECONDS = 180.0
CONNECTIONS = 32
# Of paced uploads: enough that the load, not its connections, is what grows.
PACED_CONNECTIONS = 128


class Rig:
    """Runs one trial after the other, and keeps the count of what the database is to have."""

    def __init__(self, url: str, store: Store, usage: Usage, hops: Hops) -> None:
        """`url` is the receiver's `/upload`; the database has no rows."""
        self._url = url
        self._store = store
        self._usage = usage
        self._hops = hops
        self._stored = 0

    def trial(self, workload: Workload, seconds: float, offered: float = 0.0) -> Trial:
        """Sends for so long, `offered` lines/s or as fast as it is answered, until the last row can be queried.

        Raises TallyError where a line is lost, or an upload neither taken nor refused for now.
        """
        plan = Plan(
            self._url,
            workload.lines,
            PACED_CONNECTIONS if offered else CONNECTIONS,
            seconds,
            workload.kept,
            rate=offered / workload.lines,
            seed=time.time_ns() % 2**31,
        )
        looking: AbstractContextManager[Seen] = sightings(self._store) if offered else nullcontext({})
        cpu, moved, (lines, batches) = self._usage.cpu_seconds(), self._hops.bytes(), self._done()
        with looking as seen:
            with loading(plan) as process:
                sent = sent_by(process)
            drained, meanwhile = self._done()[0] - lines, time.monotonic() - sent.began
            megabytes = self._usage.megabytes()
            self._drain(lines, sent)
            spent = time.monotonic() - sent.began
        used = _more(cpu, self._usage.cpu_seconds()) | {"load": sent.cpu_seconds}
        sizes = {"http": float(sent.bytes)} | _more(moved, self._hops.bytes())
        return Trial(
            workload=workload,
            offered=offered,
            acknowledged=sent.lines / (sent.ended - sent.began),
            drained=drained / meanwhile,
            rate=sent.lines / spent,
            waiting=sent.lines - drained,
            batch_lines=sent.lines / (self._done()[1] - batches),
            refused=sent.refused,
            answered=Spread.of(sent.milliseconds),
            visible=_visible(sent, seen),
            cpu_seconds={name: seconds / sent.lines * 1e6 for name, seconds in used.items()},
            bytes={name: count / sent.lines for name, count in sizes.items()},
            megabytes=megabytes,
        )

    def count(self) -> int:
        """The rows in the database. Raises TallyError unless they are those that were to be stored."""
        rows: int = self._store.read(lambda: LogEntry.select().count())
        if rows != self._stored:
            raise TallyError(f"{self._stored:,} rows were to be stored, and there are {rows:,}")
        return rows

    def _drain(self, before: int, sent: Sent) -> None:
        """Waits until every line that was acknowledged is done, each once; `before` were so before them."""
        if sent.failed or sent.uploads < 2:
            raise TallyError(f"{sent.uploads} uploads were acknowledged, and {sent.failed} failed")
        self._stored += sent.stored
        if not wait_until(lambda: self._done()[0] >= before + sent.lines, DRAIN_SECONDS):
            missing = before + sent.lines - self._done()[0]
            raise TallyError(f"{missing:,} lines are missing {DRAIN_SECONDS:.0f} s after the load")
        if (more := self._done()[0] - before - sent.lines) > 0:
            raise TallyError(f"{more:,} lines count twice")

    def _done(self) -> tuple[int, int]:
        """The lines of all batches that are done, what was sent twice once, and how many batches those are."""
        lines = fn.COALESCE(fn.SUM(Batch.lines - Batch.duplicate), 0)
        query = Batch.select(lines, fn.COUNT(Batch.id)).where(Batch.state == "done").tuples()
        lines, batches = self._store.read(query.first)
        return lines, batches


def _visible(sent: Sent, seen: Seen) -> Spread | None:
    """From each marked upload's 202 until its row was seen; one that was seen before it counts as 0."""
    if missing := [number for number, _ in sent.marked if number not in seen]:
        raise TallyError(f"{len(missing)} marked rows were acknowledged, and are not there")
    return Spread.of([max(0.0, seen[number] - at) * 1000 for number, at in sent.marked]) if sent.marked else None


def _more(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: count - before[name] for name, count in after.items() if name in before}
