"""The fixtures of what talks to servers: a database, a queue."""

from tests.queues import broker
from tests.stores import database, store

__all__ = ["broker", "database", "store"]
