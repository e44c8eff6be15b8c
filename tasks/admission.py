"""Which route templates are counted by name: of each day's lines so many at the most, first come, first served.

What comes later is counted as `other` (route 0): a scanner's ten million paths cost a day's slots and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from functools import partial
from typing import cast

import numpy as np
import polars as pl

from pipeline.models import Route, RouteDay
from pipeline.rollup import DAY
from pipeline.routes import OTHER_ID
from pipeline.storage import Store
from tasks.columns import places

# Days of which the admitted templates are remembered.
_REMEMBERED = 64
# Templates a statement.
_CHUNK = 1_000


class Admission:
    """The admitted templates of the days that are being worked on. Threads may share it.

    What it remembers is never wrong: a template that was admitted stays so, and a day that is full stays full.
    """

    def __init__(self, store: Store, most: int) -> None:
        """At most `most` templates a day."""
        self._store = store
        self._most = most
        self._days: dict[int, dict[str, int]] = {}
        self._lock = threading.Lock()

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with each line's `route`, an id, in place of its `template`, an Enum; by the day of its `minute`.

        Raises Unavailable.
        """
        templates = cast("pl.Enum", frame["template"].dtype).categories.to_list()
        numbers = frame["template"].to_physical().to_numpy()
        days = frame["minute"].to_numpy() // DAY * DAY
        ids, routes = np.empty(len(templates), np.int64), np.empty(len(frame), np.int64)
        for day, of_day in places(days):
            lines = np.bincount(numbers[of_day])
            found = np.flatnonzero(lines)
            asked = [templates[number] for number in found.tolist()]
            busiest = sorted(zip((-lines[found]).tolist(), asked, strict=True))
            known = self._admitted(day, [template for _, template in busiest])
            ids[found] = [known.get(template, OTHER_ID) for template in asked]
            routes[of_day] = ids[numbers[of_day]]
        return frame.drop("template").with_columns(pl.Series("route", routes))

    def _admitted(self, day: int, templates: Collection[str]) -> Mapping[str, int]:
        """The ids of a day's templates, the first to be admitted first; those that are not admitted are missing."""
        known = self._days.get(day, {})
        unknown = [template for template in templates if template not in known]
        if unknown and len(known) < self._most:
            known = self._store.write(partial(self._admit, day, unknown))
            with self._lock:
                self._days.pop(day, None)
                self._days[day] = known
                if len(self._days) > _REMEMBERED:
                    del self._days[next(iter(self._days))]
        return known

    def _admit(self, day: int, templates: list[str]) -> dict[str, int]:
        """Admits as many as the day has room for; returns all that are admitted."""
        # The row of route 0 stands for the day: who has it decides alone.
        self._store.upsert(RouteDay, [(day, OTHER_ID)], replace=[RouteDay.route])
        standing = (
            Route.select(Route.template, Route.id)
            .join(RouteDay, on=(RouteDay.route == Route.id))
            .where(RouteDay.day == day)
        )
        known = dict(standing.tuples())
        room = max(self._most - len(known), 0)
        admitted = [template for template in templates if template not in known][:room]
        for start in range(0, len(admitted), _CHUNK):
            chunk = admitted[start : start + _CHUNK]
            self._store.insert(Route, [(None, template) for template in chunk], ignore=True)
            ids = dict(Route.select(Route.template, Route.id).where(Route.template.in_(chunk)).tuples())
            self._store.insert(RouteDay, [(day, ids[template]) for template in chunk], ignore=True)
            known |= ids
        return known
