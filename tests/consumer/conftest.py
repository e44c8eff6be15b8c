"""The fixtures of what plans: a database, a topic, a queue."""

from __future__ import annotations

from tests.queues import broker
from tests.stores import database, store
from tests.topics import topic

__all__ = ["broker", "database", "store", "topic"]
