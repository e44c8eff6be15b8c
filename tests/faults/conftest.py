"""A pipeline to be hurt, one a backend, and what was acknowledged by it over all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from cli.child import wait_until
from cli.tether import Tether
from tests.faults.load import Journal
from tests.integration.pipeline import PATIENCE, PROCESSES, Pipeline, running
from tests.records import line
from tests.servers import Backend


@pytest.fixture(scope="session")
def hurt(backend: Backend, tether: Tether, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """All five processes, started once."""
    with running(backend, tether, tmp_path_factory.mktemp("hurt")) as pipeline:
        yield pipeline


@pytest.fixture(scope="session")
def journal(backend: Backend) -> Journal:  # noqa: ARG001 (one a backend, as the pipeline is)
    """What was acknowledged since the pipeline was started."""
    return Journal()


@pytest.fixture
def pipeline(hurt: Pipeline) -> Iterator[Pipeline]:
    """The pipeline, whole; what its processes say is shown with a test that fails."""
    for name in PROCESSES:
        if not hurt[name].alive():
            hurt.start(name)
    hurt.require_ready()
    yield hurt
    hurt.show_logs()


@pytest.fixture
def require_exact(pipeline: Pipeline, journal: Journal) -> Callable[[], None]:
    """Asserts that all that was ever acknowledged is counted exactly once, and that a new upload gets through."""

    def require_exact() -> None:
        assert not journal.refused
        ledger = pipeline.settle(at_least=True)
        rows = pipeline.query("SELECT path, COUNT(*) FROM log_entries GROUP BY path")
        found = {path: count for path, count in rows if path.startswith("/load/")}
        missing, twice = journal.stored - found.keys(), {path: count for path, count in found.items() if count != 1}
        assert (len(missing), len(twice), len(found)) == (0, 0, len(journal.stored)), (sorted(missing)[:5], twice)
        counted = {name: ledger[name] for name in ("stored", "discarded", "rejected", "lost")}
        assert counted == {
            "stored": len(journal.stored),
            "discarded": journal.discarded,
            "rejected": journal.rejected,
            "lost": 0,
        }
        assert ledger["received"] - ledger["duplicate"] == journal.lines
        assert pipeline.query("SELECT COUNT(*) FROM dead_letter") == [(journal.rejected,)]
        require_rollups_of_rows(pipeline, journal.discarded)
        require_visible(pipeline, journal)

    return require_exact


def require_rollups_of_rows(pipeline: Pipeline, discarded: int) -> None:
    """The second count, at each of its levels, equals the first."""
    (rows,) = pipeline.query("SELECT COUNT(*), SUM(latency_ms) FROM log_entries")
    for level in (60, 3600, 86_400):
        sums = "SELECT SUM(requests), SUM(latency_sum) FROM rollup_requests WHERE level = {} AND kept = {}"
        (stored,), (rest,) = (pipeline.query(sums.format(level, kept)) for kept in (1, 0))
        assert tuple(map(int, stored)) == tuple(map(int, rows)), level
        assert int(rest[0]) == discarded, level


def require_visible(pipeline: Pipeline, journal: Journal) -> None:
    """A new upload becomes a row."""
    path = f"/load/fresh/{uuid4()}"
    # Dated now: what is old goes when it has served its time.
    fresh = line(404, path, time=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    assert pipeline.upload([fresh], path).status == 202
    journal.stored.add(path)
    assert wait_until(lambda: pipeline.get("/logs", path=path).json["meta"]["total"] == 1, PATIENCE, 0.1)
