"""Who can reach a process, and what is said of it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from pipeline import exposure
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", 0), ("::1", 0), ("localhost", 0), ("0.0.0.0", 1), ("a", 1)])
def test_a_process_that_others_can_reach_is_warned_of(host: str, warned: int) -> None:
    with capture_logs() as logs:
        exposure.look(Settings(), host)
    assert len(logs) == warned


def test_keys_that_do_not_exist_cannot_be_required() -> None:
    with pytest.raises(ConfigurationError, match="REQUIRE_API_KEYS"):
        exposure.look(Settings(require_api_keys=True), "127.0.0.1")
