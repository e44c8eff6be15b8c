"""What nobody thought of: schemathesis, for half a minute, with another seed each time (`make fuzz` takes longer)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cli.tether import Tether
from tests import fuzz, seed
from tests.integration.pipeline import running
from tests.servers import Backend

SECONDS = 30


def test_no_request_makes_an_api_break_its_document(
    running_backends: Callable[[str], Backend], tether: Tether, tmp_path: Path
) -> None:
    with running(running_backends("embedded"), tether, tmp_path) as pipeline:
        fuzz.fill(pipeline)
        assert fuzz.both(pipeline, SECONDS, seed.said("")) == 0
