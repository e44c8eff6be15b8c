"""The pages of the API: one method each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import NotFound

from pipeline import ledger
from pipeline.cache import Cache
from pipeline.health import readiness
from pipeline.keyring import Keyring
from pipeline.moment import rfc3339
from pipeline.storage import Store
from webapi import (
    cursor,
    dead_letters,
    export,
    guard,
    logs,
    openapi,
    parameters,
    questions,
    reply,
    tail,
)
from webapi.answers.dead_letters import Retry
from webapi.demo_traffic import Demo
from webapi.flow import flow
from webapi.metrics import Metrics
from webapi.overview import overview
from webapi.preview import preview
from webapi.resend import Resend
from webapi.stats import look_up, look_up_series, look_up_top
from webapi.streams import Streams, begun


class Pages:
    """One method a page. What they raise, `errors` tells."""

    def __init__(
        self,
        store: Store,
        cache: Cache,
        metrics: Metrics,
        now: Callable[[], datetime],
        streams: Streams,
        keyring: Keyring | None,
        resend: Resend,
        demo: Demo | None,
    ) -> None:
        self._resend = resend
        self._demo = demo
        self._keyring = keyring
        self._store = store
        self._cache = cache
        self._metrics = metrics
        self._now = now
        self._streams = streams

    def logs(self) -> Response:
        """Stored lines, newest first."""
        now = self._now()
        question = parameters.logs_question(reply.pairs(), now)
        found = logs.page(self._store, question, now)
        following = cursor.encode(question, found.before) if found.before else None
        meta = {
            "total": found.total,
            "total_is": "exact" if found.exact else "at_least",
            "limit": question.limit,
            "offset": question.offset,
            "next": following,
            "coverage": {"source": "rows", "lines": "stored", "complete": found.share == 1.0, "share": found.share},
        }
        answer = reply.json({"data": found.lines, "meta": meta})
        if following:
            kept = [(name, text) for name, text in reply.pairs() if name not in ("cursor", "offset", "_")]
            answer.headers["Link"] = f'</logs?{urlencode([*kept, ("cursor", following)])}>; rel="next"'
        return answer

    def line(self, number: str) -> Response:
        """One stored line."""
        id = parameters.line_question(number, reply.pairs())
        if id is None or (found := logs.line(self._store, id)) is None:
            raise NotFound(f"there is no line {number[:40]}")
        return reply.json({"data": found})

    def export(self) -> Response:
        """Stored lines as a file."""
        question = parameters.export_question(reply.pairs(), self._now())
        chunks = begun(export.export(self._store, question, self._streams, stays=guard.staying()))
        answer = Response(chunks, content_type=export.CONTENT_TYPES[question.format])
        answer.headers["Content-Disposition"] = f'attachment; filename="{export.file_name(question)}"'
        return answer

    def tail(self) -> Response:
        """Stored lines as they come."""
        question = parameters.tail_question(reply.pairs(), request.headers.get("Last-Event-ID"))
        events = begun(tail.events(self._store, question, self._streams, stays=guard.staying()))
        answer = Response(events, content_type="text/event-stream")
        answer.headers["X-Accel-Buffering"] = "no"
        return answer

    def stats(self) -> Response:
        """One of the statistics, cached or computed."""
        now = self._now()
        question = parameters.stats_question(reply.pairs(), now)
        found, hit = look_up(self._store, self._cache, question, now)
        self._metrics.looked_up("hit" if hit else "miss")
        age = max(0, int((now - datetime.fromisoformat(found.meta["computed_at"])).total_seconds()))
        answer = reply.json(
            {"type": found.type, "data": found.data, "meta": {"range": question.range_name, **found.meta}}
        )
        answer.headers["Age"] = str(age)
        answer.headers["X-Cache"] = "hit" if hit else "miss"
        return answer

    def series(self) -> Response:
        """Numbers over time."""
        now = self._now()
        return reply.json(look_up_series(self._store, self._cache, parameters.series_question(reply.pairs(), now), now))

    def top(self) -> Response:
        """What there is most of."""
        now = self._now()
        return reply.json(look_up_top(self._store, self._cache, parameters.top_question(reply.pairs(), now), now))

    def overview(self) -> Response:
        """What a page's first view shows."""
        now = self._now()
        found = overview(self._store, self._cache, parameters.overview_question(reply.pairs(), now), now)
        answer = reply.json(found.answer)
        answer.headers["Server-Timing"] = ", ".join(f"{panel};dur={took:.1f}" for panel, took in found.took.items())
        return answer

    def preview(self) -> Response:
        """What another rule would have stored."""
        return reply.json(preview(self._store, parameters.preview_question(reply.pairs()), self._now()))

    def flow(self) -> Response:
        """How the pipeline itself is."""
        return reply.json(flow(self._store, self._cache, self._now()))

    def ledger(self) -> Response:
        """Where every line of a range of minutes is."""
        question = parameters.ledger_question(reply.pairs())
        found = ledger.read(self._store, question.first, question.end)
        return reply.json({**_classes(found), "meta": _minutes(question)})

    def days(self) -> Response:
        """The same by day (UTC), oldest first."""
        question = parameters.ledger_question(reply.pairs())
        found = ledger.days(self._store, question.first, question.end)
        data = [{"day": one.day.isoformat(), **_classes(one)} for one in found]
        return reply.json({"data": data, "balanced": all(one.balanced for one in found), "meta": _minutes(question)})

    def dead_letters(self) -> Response:
        """What could not be stored, newest first."""
        question = parameters.dead_letters_question(reply.pairs())
        found = dead_letters.page(self._store, question)
        meta = {
            "total": sum(found.by_reason.values()),
            "total_is": "exact" if found.exact else "at_least",
            "by_reason": found.by_reason,
            "limit": question.limit,
            "next": found.before,
        }
        answer = reply.json({"data": found.letters, "meta": meta})
        if found.before:
            kept = [(name, text) for name, text in reply.pairs() if name not in ("before", "_")]
            answer.headers["Link"] = f'</dead-letters?{urlencode([*kept, ("before", found.before)])}>; rel="next"'
        return answer

    def dead_letter(self, number: str) -> Response:
        """One dead letter."""
        id = parameters.line_question(number, reply.pairs())
        if id is None or (found := dead_letters.letter(self._store, id)) is None:
            raise NotFound(f"there is no dead letter {number[:40]}")
        return reply.json({"data": found})

    def retry(self, number: str) -> Response:
        """Sends a dead letter again."""
        id = parameters.line_question(number, reply.pairs())
        how = reply.body(Retry, self._streams.bodies)
        if id is None or not self._resend(id, how.replace, how.again):
            raise NotFound(f"there is no dead letter {number[:40]}")
        return self.dead_letter(number)

    def demo_traffic(self) -> Response:
        """Begins made-up traffic, or tells how long what was begun goes on."""
        if self._demo is None:
            raise NotFound("there is no demo traffic here: DEMO_TRAFFIC is not 1")
        return reply.json({"seconds": round(self._demo(), 1)}, 202)

    def healthz(self) -> Response:
        """That this process answers."""
        return reply.json({"status": "ok"})

    def readyz(self) -> Response:
        """Whether its dependencies answer; without the cache it is slower, and ready all the same."""
        _, said = readiness({"database": self._store.check, "cache": self._cache.check})
        ready = said["database"] == "ok"
        status = ("ok" if said["cache"] == "ok" else "degraded") if ready else "unavailable"
        return reply.json({"status": status, "checks": said}, 200 if ready else 503)

    def metrics(self) -> Response:
        """The counters, for Prometheus."""
        return Response(generate_latest(self._metrics.registry), content_type=CONTENT_TYPE_LATEST)

    def openapi(self) -> Response:
        """The document that describes this API."""
        return reply.json(openapi.document(keys=self._keyring is not None))


def _classes(found: ledger.Classes) -> dict[str, Any]:
    return {**msgspec.to_builtins(found), "balanced": found.balanced}


def _minutes(question: questions.LedgerQuestion) -> dict[str, Any]:
    first, end = (rfc3339(moment) if moment else None for moment in (question.first, question.end))
    return {"minutes": {"from": first, "before": end}}
