"""How many different addresses there were over time, from their rollup."""

from __future__ import annotations

from typing import Any, Final

from pipeline import visitors as sketches
from pipeline.cover import cover
from pipeline.cut import inside, reaches
from pipeline.facts import Coverage, Found
from pipeline.models import VisitorRollup
from pipeline.rollup import VISITOR_LEVELS
from pipeline.statistics import Question
from webapi.points import points
from webapi.questions import SeriesQuestion

_SECOND: Final = 1_000_000


def visitors(asked: SeriesQuestion, question: Question) -> dict[str, Any]:
    """The visitors of each step, null where the buckets that would tell are gone. Within a transaction."""
    step, window = asked.step, question.window.widened(asked.step, asked.step)
    now = question.now.timestamp()
    levels = [level for level in VISITOR_LEVELS if step % level == 0 and reaches(level, now, window.start)]
    coverage = Coverage("rollups", asked.scope, True) if levels else Coverage("rollups", asked.scope, False, 0.0)
    found = Found({}, window, coverage, step if window != question.window else 0)
    seen = _sketches(asked, cover(window.start // _SECOND, window.stop // _SECOND, levels)) if levels else {}

    def tell(start: int) -> dict[str, Any]:
        return {"unique_ips": sketches.estimate(sketches.merge(seen.get(start, ()))) if levels else None}

    return points(asked, question, found, tell, {"unique_ips": sketches.STANDARD_ERROR})


def _sketches(asked: SeriesQuestion, spans: Any) -> dict[int, list[bytes]]:
    """The sketches of some buckets, by the step that each lies in."""
    model = VisitorRollup
    kept = (0, 1) if asked.scope == "all" else (1,)
    query: Any = model.select(model.bucket, model.sketch).where(inside(model, spans), model.kept.in_(kept)).tuples()
    found: dict[int, list[bytes]] = {}
    for bucket, sketch in query:
        found.setdefault(int(bucket) // asked.step * asked.step, []).append(bytes(sketch))
    return found
