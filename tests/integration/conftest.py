"""One pipeline a backend, for all tests that do not disturb it.

It is shared, so each module dates its lines into days of its own; only `test_statistics` has lines of the last week.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.tether import Tether
from tests.integration.pipeline import Pipeline, running
from tests.servers import Backend


@pytest.fixture(scope="session")
def pipeline(backend: Backend, tether: Tether, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """All five processes, ready."""
    with running(backend, tether, tmp_path_factory.mktemp("pipeline")) as pipeline:
        yield pipeline


@pytest.fixture(autouse=True)
def _logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the processes say while a test runs is shown if it fails."""
    yield
    if "pipeline" in request.fixturenames:
        request.getfixturevalue("pipeline").show_logs()
