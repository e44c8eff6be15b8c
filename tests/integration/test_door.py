"""Hostile requests, a thousand of them and the same each time (`make door` sends more, and others)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.tether import Tether
from tests import door
from tests.faults.session import session
from tests.integration.pipeline import running
from tests.servers import Backend

REQUESTS, SEED = 1_000, 20261128


@pytest.mark.any_servers
def test_whatever_is_sent_is_answered_as_the_contract_says_and_what_was_accepted_is_counted(
    backend: Backend, tether: Tether, tmp_path: Path
) -> None:
    with running(backend, tether, tmp_path) as pipeline:
        before = {name: session(pipeline[name].pid) for name in door.WATCHED}
        statuses = door.besiege(pipeline, REQUESTS, SEED)
        assert {name: session(pipeline[name].pid) for name in door.WATCHED} == before
    assert statuses.total() == REQUESTS
    # Of each kind there were some: what is an upload, what is none, what is no text, and what is hardly HTTP.
    assert {202, 400, 415, 422} <= statuses.keys()
