"""Executes a batch: reads its range, takes it apart, and writes what it holds in the transaction that claims it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, NamedTuple

import peewee
import polars as pl
import structlog

from pipeline import batch
from pipeline.batch import Range, Record
from pipeline.checkpoint import Checkpoint, nowhere
from pipeline.errors import Poison, TallyError, TooWide, Unavailable, Vanished
from pipeline.models import Batch
from pipeline.routes import OTHER_ID
from pipeline.storage import Store, error_code
from tasks import blocks, dead_letters, rows, split, upload_keys
from tasks.admission import Admission
from tasks.aggregate import Rollups, aggregate
from tasks.frame import Parsed, Place, parse, without
from tasks.metrics import Metrics
from tasks.templates import Templates
from tasks.upsert import upsert

log = structlog.get_logger(__name__)

# Too few values or too many, out of range, cut, wrong string, too long: MySQL does not take what our grammar let pass.
_DATA = frozenset({1261, 1262, 1264, 1265, 1366, 1406})
# Minutes that a batch's lines may lie in: each is a handful of rollup rows at least. One upload alone may exceed it.
MINUTES = 1_440
# So often a batch's worker may vanish before the batch itself is suspected.
ATTEMPTS = 5

Read = Callable[[int, int, int], Sequence[Record]]
Send = Callable[[Range], None]
Survives = Callable[[Range, Record], bool]


class Claim(NamedTuple):
    """A pending batch as it stands in MySQL."""

    id: int
    stream: int
    lines: int
    attempts: int


class Refined(NamedTuple):
    """What a batch's lines become: `frame` has a column `kept`."""

    parsed: Parsed
    frame: pl.DataFrame
    rollups: Rollups


class Ingest:
    """The ingest actor. Calling it never raises: what fails is logged, stays pending, and is sent again."""

    def __init__(
        self,
        store: Store,
        topic: str,
        read: Read,
        send: Send,
        discarded: frozenset[int],
        templates: Templates,
        admission: Admission,
        metrics: Metrics,
        survives: Survives,
        checkpoint: Checkpoint = nowhere,
    ) -> None:
        """`read(part, first, next)` gives a range's records, as `RangeReader.read` does; `send(range)` has a batch
        executed, soon, and raises Unavailable; `survives(range, record)` has one of a single record executed where it
        can harm nobody, as `trial.survived` does."""
        self._store = store
        self._topic = topic
        self._read = read
        self._send = send
        self._discarded = sorted(discarded)
        self._templates = templates
        self._admission = admission
        self._metrics = metrics
        self._survives = survives
        self._checkpoint = checkpoint
        self._owed: Counter[int] = Counter()  # attempts that were counted and could not be taken back, by batch

    def __call__(self, order: Range, again: bool) -> None:
        """Executes the batch that `order` names, unless it is not pending (any more)."""
        where = {"part": order.part, "first": order.first, "next": order.next}
        try:
            with self._metrics.seconds.time():
                self._execute(order, again)
        except TallyError as error:
            log.warning("left pending", error=str(error), **where)
        except Exception:
            log.exception("left pending", **where)

    def _execute(self, order: Range, again: bool) -> None:
        claim = self._store.read(lambda: self._find(order))
        if claim is None:
            return
        records = self._read(order.part, order.first, order.next)
        self._checkpoint("actor.read")
        if batch.digest(records).hex() != order.digest:
            log.error("the log holds something else than what was planned", part=order.part, first=order.first)
            return
        # SQLite's one write lock is the claim's: a count of attempts would only wait for it.
        counted = again and self._store.is_mysql
        if counted:
            claim = self._store.write(partial(self._attempt, claim, 1 - self._owed[claim.id]))
            del self._owed[claim.id]
        try:
            if counted and claim.attempts > ATTEMPTS:
                self._try(order, claim, records)
            else:
                self._complete(order, claim, records)
        except Poison as poison:
            self._split(order, claim, records, poison)
        except Exception:
            # Whoever can say what failed has not vanished.
            if counted:
                self._owed[claim.id] += 1
                self._store.write(partial(self._attempt, claim, -1))
                del self._owed[claim.id]
            raise

    def _try(self, order: Range, claim: Claim, records: Sequence[Record]) -> None:
        """Has a suspected record executed alone; raises Vanished where it kills once more, and for more than one."""
        if len(records) > 1 or not self._survives(order, records[0]):
            raise Vanished(f"its worker vanished {ATTEMPTS} times")
        # Where it is still pending it was not to blame, or not yet: it stays suspected, and is tried again.
        self._store.write(partial(self._attempt, claim, -1))

    def _complete(self, order: Range, claim: Claim, records: Sequence[Record]) -> None:
        """Raises Poison when it is the data that cannot be processed."""
        with _suspecting_the_data():
            parsed = self._templated(parse(records))
            keys = upload_keys.identities(records)
            minutes = parsed.frame["minute"].n_unique()
            if minutes > MINUTES and (cuts := split.within(parsed.frame, MINUTES)):
                raise TooWide(f"its lines lie in {minutes} different minutes", cuts)
        parsed = parsed._replace(frame=self._admission.named(parsed.frame))
        with _suspecting_the_data():
            refined = self.refine(parsed)
        try:
            counts = self._store.write(lambda: self._write(order, claim, records, refined, keys))
        except peewee.PeeweeException as error:
            if error_code(error) in _DATA:
                raise Poison(str(error)) from error
            raise
        self._checkpoint("actor.committed")
        for outcome, lines in counts.items():
            self._metrics.lines[outcome].inc(lines)
        self._metrics.delay.set(time.time() - records[0].timestamp / 1000)

    def _split(self, order: Range, claim: Claim, records: Sequence[Record], poison: Poison) -> None:
        """Cuts a batch where its data is to blame, and sends the pieces; where that fails, repair will."""
        if isinstance(poison, TooWide):
            cuts = poison.cuts
        else:
            tried = [] if isinstance(poison, Vanished) else split.culprits(records, self._understand)
            cuts = split.around(tried, len(records))
        for piece in split.split(self._store, order, claim.id, records, poison, cuts):
            try:
                self._send(piece)
            except Unavailable as error:
                log.warning("not dispatched; repair will", error=str(error), part=piece.part, first=piece.first)
                return

    def _understand(self, records: Sequence[Record]) -> None:
        """The pure stage alone: raises what the data makes it raise."""
        upload_keys.identities(records)
        parsed = self._templated(parse(records))
        self.refine(parsed._replace(frame=parsed.frame.with_columns(route=OTHER_ID)))

    def _templated(self, parsed: Parsed) -> Parsed:
        templates = self._templates.of(parsed.frame["path"])
        return parsed._replace(frame=parsed.frame.with_columns(templates.alias("template")))

    def refine(self, parsed: Parsed) -> Refined:
        """Filters and counts: pure."""
        frame = parsed.frame.with_columns((~pl.col("status").is_in(self._discarded)).alias("kept"))
        return Refined(parsed, frame, aggregate(frame))

    def _find(self, order: Range) -> Claim | None:
        found = self._store.execute(
            "SELECT id, stream, `lines`, attempts FROM batch"
            f" WHERE stream IN (SELECT id FROM stream WHERE topic = %s AND topic_id = %s) AND {_MATCHES}",
            (self._topic, order.topic_id, *_matched(order)),
        ).fetchone()
        return Claim(*found) if found else None

    def _attempt(self, claim: Claim, more: int) -> Claim:
        Batch.update(attempts=Batch.attempts + more).where(Batch.id == claim.id, Batch.state == "pending").execute()
        return claim._replace(attempts=claim.attempts + more)

    def _write(
        self, order: Range, claim: Claim, records: Sequence[Record], refined: Refined, keys: dict[Place, bytes]
    ) -> dict[str, int]:
        """Claims the batch and writes all that it holds; returns its four counts, or nothing where it was claimed.

        Raises Poison when its lines are not as many as were planned.
        """
        claimed = self._store.execute(
            f"UPDATE batch SET state = 'done', done_at = {self._store.clock} WHERE id = {claim.id} AND {_MATCHES}",
            _matched(order),
        )
        if not claimed.rowcount:
            return {}
        self._checkpoint("actor.claimed")
        twins = upload_keys.twins(self._store, order, claim.stream, records, keys)
        if twins:
            refined = self.refine(without(refined.parsed, twins))
        kept = refined.frame.filter("kept")
        if len(kept):
            blocks.note(self._store, kept, rows.insert(self._store, kept, claim.id))
        self._checkpoint("actor.rows")
        dead_letters.bury(self._store, claim.stream, order.part, records, refined.parsed.rejected)
        counts = {
            "stored": len(kept),
            "discarded": len(refined.frame) - len(kept),
            "rejected": sum(one.lines for one in refined.parsed.rejected),
            "duplicate": sum(twin.lines for twin in twins),
        }
        if sum(counts.values()) != claim.lines:
            raise Poison(f"batch {claim.id} has {claim.lines} lines, but {counts} were counted")
        said = ", ".join(f"{outcome} = {lines}" for outcome, lines in counts.items())
        self._store.execute(f"UPDATE batch SET {said} WHERE id = {claim.id}")
        upsert(self._store, refined.rollups)
        self._checkpoint("actor.written")
        return counts


@contextmanager
def _suspecting_the_data() -> Iterator[None]:
    """Turns what a pure stage raises into Poison."""
    try:
        yield
    except (MemoryError, TooWide):
        raise  # This machine's fault, and nobody's: not the data's.
    except Exception as error:
        raise Poison(repr(error)) from error


# What a claim compares, and the values that it compares with.
_MATCHES: Final = "part = %s AND generation = %s AND `first` = %s AND `next` = %s AND digest = %s AND state = 'pending'"


def _matched(order: Range) -> tuple[object, ...]:
    return order.part, order.generation, order.first, order.next, bytes.fromhex(order.digest)
