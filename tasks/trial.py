"""A record that is suspected of killing its workers is executed once more by a process of its own, whose end tells.

`attempts` cannot tell: also a database that goes away again and again, and another batch in the same process, leave
attempts behind that nobody took back.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import NoReturn

import msgspec
import structlog

from pipeline import checkpoint, filter, logging, settings
from pipeline.batch import Range, Record
from pipeline.process import guarded
from pipeline.routes import Routes
from pipeline.storage import Store
from tasks.admission import Admission
from tasks.ingest import Ingest
from tasks.metrics import Metrics
from tasks.templates import Templates

log = structlog.get_logger(__name__)

# That the process has, also where its worker was killed meanwhile; and of a processor, which tells a record without end
# from a server that makes it wait.
SECONDS, CPU_SECONDS = 60, 30
# How a process ends by a fault of its own, or for want of memory or of an end; whatever else is somebody's wish.
_DEADLY = frozenset(
    {
        signal.SIGKILL,
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGABRT,
        signal.SIGTRAP,
        signal.SIGPROF,
    }
)


class Suspect(msgspec.Struct, frozen=True):
    """A batch of one record, and that record (`pipeline.batch.Record`), on their way to another process."""

    order: Range
    offset: int
    timestamp: int
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def survived(order: Range, record: Record) -> bool:
    """Executes a batch of one record in a process of its own; returns False when that dies of it.

    Where it survives, the batch is done, or left pending for a reason that was logged, as by any actor. Raises
    RuntimeError and subprocess.TimeoutExpired where nothing can be said.
    """
    suspect = Suspect(order, record.offset, record.timestamp, record.value, list(record.headers))
    argv, given = [sys.executable, "-m", "tasks.trial"], msgspec.msgpack.encode(suspect)
    code = subprocess.run(argv, input=given, timeout=SECONDS, check=False).returncode
    if -code in _DEADLY:
        return False
    if code:
        raise RuntimeError(f"the trial of a batch ended with {code}")
    return True


def main() -> int:
    """Executes the batch that stands on stdin; returns 0."""
    signal.alarm(SECONDS)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    given = settings.load()
    logging.configure("worker", given.log_level)
    suspect = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Suspect)
    store = Store.open(given.database_url)
    ingest = Ingest(
        store,
        given.kafka_topic,
        lambda *_: [suspect],
        _never,
        filter.discarded(given.discard_status),
        Templates(Routes.of(given.routes)),
        Admission(store, given.max_routes),
        Metrics(),
        _never,
        checkpoint.from_environment(),
    )
    try:
        # Not again: this attempt is counted already.
        ingest(suspect.order, again=False)
    except BaseException:
        log.exception("died")  # Of what is no Exception: a panic, as a worker's thread dies of it.
        os.abort()
    return 0


def _never(*_: object) -> NoReturn:
    """One record is not cut into pieces, and what is tried is not tried once more."""
    raise AssertionError


if __name__ == "__main__":
    guarded("worker", main)
