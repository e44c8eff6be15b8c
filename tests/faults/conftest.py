"""A pipeline to be hurt, one a backend, and what was acknowledged by it over all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from cli.tether import Tether
from tests.faults import invariants
from tests.faults.load import Journal
from tests.integration.pipeline import PROCESSES, Pipeline, running
from tests.servers import Backend


@pytest.fixture(scope="session")
def hurt(backend: Backend, tether: Tether, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """All five processes, started once."""
    with running(backend, tether, tmp_path_factory.mktemp("hurt")) as pipeline:
        yield pipeline


@pytest.fixture(scope="session")
def journal(hurt: Pipeline) -> Journal:
    """What was acknowledged since the pipeline was started."""
    return Journal(hurt.directory)


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

    return partial(invariants.require, pipeline, journal)
