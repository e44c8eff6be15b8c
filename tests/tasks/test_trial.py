"""A single record is buried for the workers that it killed only where it kills once more, in a process of its own."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pipeline.batch import Range
from pipeline.checkpoint import VARIABLE
from pipeline.models import Batch, DeadLetter
from pipeline.storage import Store
from tasks.ingest import ATTEMPTS
from tests.records import line, upload
from tests.servers import ROOT
from tests.tasks.batches import Log, consistent

# SQLite counts no attempts.
pytestmark = pytest.mark.real_only


@pytest.fixture
def log(store: Store) -> Log:
    return Log(store)


@pytest.fixture
def suspect(store: Store, log: Log, database: str, monkeypatch: pytest.MonkeyPatch) -> Range:
    """A batch of one record whose attempts nobody took back, and the environment that a worker has."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DATABASE_URL", database)
    order = log.planned([upload(0, [line(), line(200), "not a line"], key="k")])
    store.write(lambda: Batch.update(attempts=ATTEMPTS).execute())
    return order


def attempts(store: Store) -> int:
    return store.read(lambda: Batch.get().attempts)


def test_a_record_that_kills_nobody_is_stored_whatever_is_said_of_it(store: Store, log: Log, suspect: Range) -> None:
    log.actor()(suspect, again=True)
    found = consistent(store)
    assert (found.stored, found.discarded, found.rejected, found.pending) == (1, 1, 1, 0)
    assert store.read(lambda: [row.reason for row in DeadLetter.select()]) != ["poison"]


@pytest.mark.parametrize("step", ["actor.read", "actor.written"])
def test_a_record_that_kills_once_more_is_buried(
    store: Store, log: Log, suspect: Range, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setenv(VARIABLE, step)
    log.actor()(suspect, again=True)
    found = consistent(store)
    assert (found.rejected, found.pending) == (3, 0)
    letters = store.read(lambda: [(row.reason, row.detail) for row in DeadLetter.select()])
    assert letters == [("poison", f"its worker vanished {ATTEMPTS} times")]


def test_a_record_that_kills_once_it_is_stored_stays_stored(
    store: Store, log: Log, suspect: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "actor.committed")
    log.actor()(suspect, again=True)
    found = consistent(store)
    assert (found.stored, found.rejected, found.pending) == (1, 1, 0)


def test_a_database_that_is_away_while_a_record_is_tried_says_nothing_of_it(
    store: Store, log: Log, suspect: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setenv("DATABASE_URL", "mysql://tally:tally@127.0.0.1:1/nowhere")
        log.actor()(suspect, again=True)
    assert (consistent(store).pending, attempts(store)) == (3, ATTEMPTS)
    log.actor()(suspect, again=True)
    assert (consistent(store).pending, consistent(store).stored) == (0, 1)


def test_a_trial_that_cannot_begin_says_nothing_of_a_record(
    store: Store, log: Log, suspect: Range, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setenv("MAX_LINES", "nonsense")
        log.actor()(suspect, again=True)
    assert (consistent(store).pending, attempts(store)) == (3, ATTEMPTS)


@pytest.mark.parametrize(
    "fault",
    [
        "raise polars.exceptions.PanicException('index out of bounds')",
        "while True: pass",
    ],
    ids=["a panic", "no end"],
)
def test_a_record_that_ends_a_worker_s_thread_is_buried(
    store: Store, log: Log, suspect: Range, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str
) -> None:
    # Python imports this module when it starts.
    (tmp_path / "sitecustomize.py").write_text(f"""
import polars, signal, tasks.rows
def insert(*_):
    {fault}
def soon(which, _, real=signal.setitimer):
    real(which, 0.5)
tasks.rows.insert, signal.setitimer = insert, soon
""")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    log.actor()(suspect, again=True)
    assert (consistent(store).rejected, consistent(store).pending) == (3, 0)


def test_a_record_that_two_workers_try_at_once_counts_once(store: Store, log: Log, suspect: Range) -> None:
    actor, start = log.actor(), threading.Barrier(2)

    def work() -> None:
        start.wait()
        actor(suspect, again=True)
        store.disconnect()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = consistent(store)
    assert (found.received, found.stored, found.rejected, found.pending) == (3, 1, 1, 0)
