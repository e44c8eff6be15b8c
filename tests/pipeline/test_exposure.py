"""Who can reach a process, and what is said of it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from pipeline import exposure
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

ELSEWHERE = ("0.0.0.0", "::", "192.168.1.7", "a")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_this_machine_nobody_is_asked(host: str) -> None:
    with capture_logs() as logs:
        exposure.require_intended(Settings(), host)
    assert not logs


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_process_that_others_reach_does_not_start_before_somebody_has_said_how_they_are_kept_out(host: str) -> None:
    with pytest.raises(ConfigurationError, match="REQUIRE_API_KEYS"):
        exposure.require_intended(Settings(), host)
    with capture_logs() as logs:
        exposure.require_intended(Settings(require_api_keys=True), host)
    assert not logs


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_door_that_is_open_on_purpose_is_warned_of(host: str) -> None:
    with capture_logs() as logs:
        exposure.require_decided(Settings(require_api_keys=False), host)
        exposure.require_intended(Settings(require_api_keys=False), host)
    assert [(one["log_level"], one["host"]) for one in logs] == [("warning", host)]
