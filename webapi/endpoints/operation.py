"""Endpoints for who runs the process."""

from __future__ import annotations

from typing import Final

from pipeline.keyring import ADMIN
from webapi.answers.process import DemoTraffic, Health, Readiness
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
        path="/demo-traffic",
        method="POST",
        scope=ADMIN,
        group="Operation",
        summary="Send made-up lines for a minute",
        description=(
            "What the generator sends, from the web API to the receiver, where `DEMO_TRAFFIC` allows it: for who looks"
            " at a page without lines. While it goes on, it is not begun again. Where no keys are required, this"
            " machine may."
        ),
        answers={202: Answer(description="It goes on for so long.", content={JSON: DemoTraffic})},
        problems=(403, 404, 415, 503),
        example="/demo-traffic",
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
