"""Endpoints for who runs the process."""

from __future__ import annotations

from typing import Final

from webapi.answers.process import Health, Readiness
from webapi.endpoints.endpoint import JSON, TEXT, Answer, Endpoint, json_of

OPERATION: Final = (
    Endpoint(
        path="/healthz",
        scope=None,
        group="Operation",
        summary="Whether this process answers",
        description="Asks nobody else.",
        answers=json_of(Health, "It does."),
        example="/healthz",
    ),
    Endpoint(
        path="/readyz",
        scope=None,
        group="Operation",
        summary="Whether its dependencies answer",
        description="Each is named. Without the cache it is slower, and ready all the same.",
        answers={
            200: Answer(description="It is ready.", content={JSON: Readiness}),
            503: Answer(description="It is not.", content={JSON: Readiness}),
        },
        example="/readyz",
    ),
    Endpoint(
        path="/metrics",
        scope=None,
        group="Operation",
        summary="Counters, for Prometheus",
        description="In Prometheus' text format.",
        answers={200: Answer(description="The counters.", content={TEXT: None})},
        example="/metrics",
    ),
)
