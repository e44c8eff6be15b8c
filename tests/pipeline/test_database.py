"""A database by its URL."""

from __future__ import annotations

from pathlib import Path

from pipeline.database import connectable


def test_a_url_s_secrets_and_names_are_unquoted(tmp_path: Path) -> None:
    database = connectable("mysql://a%40b:p%3Aw%2F@host:3307/log_db")
    assert database.connect_params["user"] == "a@b"
    assert database.connect_params["password"] == "p:w/"
    assert database.connect_params["port"] == 3307
    assert connectable(f"sqlite:///{tmp_path}/a%20b.db").database == f"{tmp_path}/a b.db"
