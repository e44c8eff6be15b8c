"""How the pipeline itself is: what the database knows of it, and what each process says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from peewee import fn

from pipeline import freshness, ledger
from pipeline.cache import Cache
from pipeline.errors import Unavailable
from pipeline.models import Batch, Progress, Stream
from pipeline.moment import rfc3339
from pipeline.storage import Store
from webapi import dead_letters
from webapi.hops import Lost, Process, Waiting, hops, troubles

log = structlog.get_logger(__name__)

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (naive UTC, as the database's times are)
_DAY: Final = timedelta(days=1)
# Seconds for which each process that fell silent is still told of.
_LATELY: Final = 10.0


def flow(store: Store, cache: Cache, now: datetime) -> dict[str, Any]:
    """The pipeline's status as of `now`. Raises Unavailable where the database does not answer."""
    sums = ledger.read(store)
    lately = ledger.read(store, now - _DAY)
    lost = Lost(lately.lost, sum(one.records for one in lately.lost_uncounted))
    counted, waiting, oldest = store.read(lambda: _waiting(store))
    letters = dead_letters.counts(store)
    processes, checks = _processes(cache, now)
    return {
        "as_of": rfc3339(now),
        **freshness.told(counted, now),
        "problems": list(troubles(waiting, sums, lost, processes, checks)),
        "hops": hops(waiting, sums, processes),
        "oldest_pending": oldest,
        "dead_letters": {"by_reason": letters, "total": sum(letters.values())},
        "ledger": {**msgspec.to_builtins(sums), "balanced": sums.balanced},
        "processes": None if processes is None else [_told(one) for one in processes],
    }


def _waiting(store: Store) -> tuple[datetime | None, Waiting, dict[str, Any] | None]:
    """Up to when everything is counted, what waits, and the batch that has waited for longest."""
    now = freshness.present(store)
    live: Any = Progress.select().join(Stream, on=(Stream.id == Progress.stream)).where(Stream.state == "live")
    behind = live.select(fn.SUM(Progress.end_offset - Progress.next_plan), fn.MIN(Progress.mark_time))
    records, mark = behind.where(Progress.end_offset > Progress.next_plan).tuples().first()
    unseen = live.order_by(Progress.seen_at).first()
    pending = Batch.state == "pending"
    batches, lines = Batch.select(fn.COUNT(Batch.id), fn.SUM(Batch.lines)).where(pending).tuples().first()
    oldest: Any = Batch.select().where(pending).order_by(Batch.oldest_at).first()
    age = _age(now, oldest.oldest_at) if oldest else None
    waiting = Waiting(
        records=records or 0,
        records_seconds=None if mark is None else _age(now, _EPOCH + timedelta(milliseconds=mark)),
        batches=batches,
        lines=lines or 0,
        batches_seconds=age,
        unseen_seconds=_age(now, unseen.seen_at) if unseen else None,
    )
    told = oldest and {"seconds": age, "lines": oldest.lines, "partition": oldest.part, "attempts": oldest.attempts}
    return freshness.counted_up_to(store), waiting, told


def _processes(cache: Cache, now: datetime) -> tuple[list[Process] | None, dict[str, str]]:
    """What processes say, None where the cache is away; and how the cache is."""
    try:
        said = cache.statuses()
    except Unavailable as error:
        return None, {"cache": f"not available: {error.detail}"}
    found = []
    for one in said:
        try:
            found.append(msgspec.convert(one | {"error_age_seconds": _error_age(one, now)}, Process))
        except (msgspec.ValidationError, ValueError, TypeError, KeyError):
            log.warning("a status that is not understood", name=one["name"], pid=one["pid"])  # of another version
    return _worth_telling(found), {"cache": "ok"}


def _worth_telling(found: list[Process]) -> list[Process]:
    """Those that spoke lately; and where none of a name did, the last that fell silent, with the error that it had."""
    last = {one.name: one for one in sorted(found, key=lambda one: -one.age_seconds)}
    return [one for one in found if one.age_seconds <= _LATELY or one is last[one.name]]


def _error_age(said: dict[str, Any], now: datetime) -> float | None:
    error = said.get("last_error")
    return None if not error else _age(now, datetime.fromisoformat(error["at"]))


def _age(now: datetime, at: datetime) -> float:
    return max(0.0, round((now - at).total_seconds(), 3))


def _told(one: Process) -> dict[str, Any]:
    return {**msgspec.to_builtins(one), "alive": one.alive}
