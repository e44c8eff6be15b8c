"""What `tally up` says once it is ready."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.banner import banner
from cli.main import tally
from pipeline import schema
from pipeline.settings import Settings

NOW = datetime(2025, 6, 10, 10, 41, 40, tzinfo=UTC)
EMBEDDED = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:19092", "DATABASE_URL": "sqlite:////tmp/tally.db"}


def said(given: dict[str, str], **settings: object) -> list[str]:
    return banner(Settings.model_validate(settings), given, NOW).splitlines()


def test_the_dashboard_is_said_first() -> None:
    [first, *_] = [line.split() for line in said({}, webapi_port=18081) if line.startswith("  ")]
    assert first == ["dashboard", "http://127.0.0.1:18081/"]


def test_without_keys_no_command_has_one() -> None:
    lines = said(EMBEDDED)
    assert not any("keys" in line or "Authorization" in line for line in lines)
    assert "  embedded   DATABASE_URL=sqlite:////tmp/tally.db" in lines
    assert any("in memory only" in line for line in lines)


def test_a_server_that_was_named_is_not_called_embedded() -> None:
    assert not any("embedded" in line.lower() for line in said({}))


def test_where_keys_are_required_one_is_made_first_and_sent_with_every_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the database that was embedded,
    url = f"sqlite:///{tmp_path / 'a directory' / 'tally.db'}"
    (tmp_path / "a directory").mkdir()
    schema.migrate(url)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    # every request has a key,
    lines = said({"DATABASE_URL": url}, require_api_keys=True)
    requests = [shlex.split(line) for line in lines if line.startswith("  curl")]
    assert len(requests) == 3
    assert all("Authorization: Bearer tally_…" in request for request in requests)
    # and the command before them makes one, as it stands.
    [create] = [shlex.split(line, comments=True) for line in lines if "keys create" in line]
    name, value = create[0].split("=", 1)
    result = CliRunner().invoke(tally, create[2:], env={name: value})
    assert result.exit_code == 0
    assert result.stdout.startswith("tally_")


def test_the_database_that_was_named_is_not_repeated() -> None:
    [create] = [line for line in said({}, require_api_keys=True) if "keys create" in line]
    assert create.startswith("  tally keys create ")
