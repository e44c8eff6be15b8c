"""`tally keys`, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import tally
from tests.stores import database, store

__all__ = ["database", "store"]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    """Names the database."""
    monkeypatch.setenv("DATABASE_URL", database)


def run(*words: str) -> tuple[int, str, str]:
    """The exit code, stdout and stderr of `tally keys`."""
    done = CliRunner().invoke(tally, ["keys", *words])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.usefixtures("settings", "store")
def test_a_key_is_made_shown_once_listed_and_revoked() -> None:
    code, key, words = run("create", "the shop", "--scope", "ingest", "--scope", "read", "--rate", "50")
    assert (code, "only time" in words) == (0, True)
    public_id = key.split("_")[1]
    code, listed, _ = run("list", "--json")
    (found,) = json.loads(listed)
    assert code == 0
    assert (found["public_id"], found["name"], found["rate"]) == (public_id, "the shop", 50)
    assert (found["scopes"], found["revoked_at"], found["lines"]) == (["ingest", "read"], None, 0)
    assert key.strip() not in listed
    assert run("revoke", public_id)[0] == 0
    code, table, _ = run("list")
    assert (code, public_id in table, "the shop" in table) == (0, True, True)
    assert json.loads(run("list", "--json")[1])[0]["revoked_at"].endswith("Z")


@pytest.mark.usefixtures("settings", "store")
@pytest.mark.parametrize(
    "words",
    [
        ("create", "x"),
        ("create", "x", "--scope", "all"),
        ("create", " ", "--scope", "read"),
        ("create", "x" * 101, "--scope", "read"),
        ("create", "x", "--scope", "read", "--rate", "0"),
        ("create", "\udcff", "--scope", "read"),
        ("revoke", "nobody"),
        ("revoke", "\udcff"),
    ],
)
def test_a_wrong_word_ends_with_2(words: tuple[str, ...]) -> None:
    assert run(*words)[0] == 2
    assert json.loads(run("list", "--json")[1]) == []


@pytest.mark.usefixtures("settings", "store")
def test_a_name_of_anybodys_does_not_reach_the_terminal_as_it_is() -> None:
    assert run("create", "\x1b[2J\u202eé", "--scope", "read")[0] == 0
    code, table, _ = run("list")
    assert (code, "\x1b" in table, "\u202e" in table) == (0, False, False)


def test_a_database_without_tables_is_named_with_what_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    code, _, words = run("list")
    assert (code, words) == (
        69,
        "tally keys list: database is not available: no such table: api_key; `tally migrate` makes the tables\n",
    )
