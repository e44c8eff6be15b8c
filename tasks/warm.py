"""The statistics actor: computes one and puts it into the cache."""

from __future__ import annotations

from datetime import datetime

import structlog

from pipeline import statistics
from pipeline.cache import Cache
from pipeline.errors import Unavailable
from pipeline.statistic import RANGES
from pipeline.storage import Store

log = structlog.get_logger(__name__)


def warm(store: Store, cache: Cache, kind: str, range_name: str, scope: str, now: datetime) -> bool:
    """Computes a statistic as of `now` (UTC) and caches it; returns whether it did.

    Never raises: what fails is logged, and asked for again by the clock.
    """
    try:
        found = statistics.compute(store, kind, now - RANGES[range_name], now, scope)
        cache.keep_statistic(found, range_name, scope)
    except Unavailable as error:
        log.warning("not warmed", error=str(error), kind=kind, range=range_name, scope=scope)
        return False
    except Exception:
        log.exception("not warmed", kind=kind, range=range_name, scope=scope)
        return False
    return True
