"""The database of the settings, for as long as a command works on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline import settings

if TYPE_CHECKING:
    from pipeline.storage import Store


@contextmanager
def database() -> Iterator[Store]:
    """Opens the store at DATABASE_URL, and disconnects it in the end. Raises ConfigurationError."""
    from pipeline.storage import Store

    store = Store.open(settings.load().database_url)
    try:
        yield store
    finally:
        store.disconnect()
