"""The database fixtures, for the tests of what reads and writes it."""

from tests.stores import database, store

__all__ = ["database", "store"]
