"""URLs with passwords that end too soon are refused by their variable's name, and nothing of them is repeated."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from pipeline import messages
from pipeline.cache import Cache
from pipeline.database import connectable
from pipeline.errors import ConfigurationError

READERS: dict[str, tuple[str, str, Callable[[str], object]]] = {
    "DATABASE_URL": ("mysql://root:", "@db:3306/log_db", connectable),
    "CACHE_URL": ("redis://:", "@host:6379/1", Cache.open),
    "REDIS_URL": ("redis://:", "@host:6379/0", messages.build_broker),
}


@pytest.mark.parametrize("variable", READERS)
@pytest.mark.parametrize(
    "password", ["S3cret/pw", "S3cret#pw", "S3cret?pw", "12/S3cret", "12#S3cret", "12?S3cret", "[S3"]
)
def test_a_password_that_is_not_quoted_is_refused_and_not_repeated(variable: str, password: str) -> None:
    before, after, read = READERS[variable]
    with pytest.raises(ConfigurationError) as refused:
        read(f"{before}{password}{after}")
    told = "".join(traceback.format_exception(refused.value, chain=not refused.value.__suppress_context__))
    said = str(refused.value)
    assert said.startswith(f"{variable}: ")
    assert not [part for part in ("S3", "cret", "pw") if part in said]
    assert "S3cret" not in told


@pytest.mark.parametrize("variable", READERS)
def test_a_password_that_is_quoted_is_taken(variable: str) -> None:
    before, after, read = READERS[variable]
    read(f"{before}S3cret%2F%23%3F%40%3A%25{after}")


def test_a_file_may_have_any_name(tmp_path: object) -> None:
    assert connectable(f"sqlite:///{tmp_path}/a@b:c.db").database == f"{tmp_path}/a@b:c.db"
