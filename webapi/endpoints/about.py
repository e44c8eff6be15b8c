"""Endpoints about the API itself: pages, and its document."""

from __future__ import annotations

from typing import Final

from webapi.answers.process import Index
from webapi.endpoints.endpoint import HTML, JSON, Answer, Endpoint, json_of

ABOUT: Final = (
    Endpoint(
        path="/",
        scope=None,
        group="About",
        summary="The dashboard, or what there is",
        description="For who accepts `text/html` the page for people, for everybody else the paths of all endpoints.",
        answers={200: Answer(description="The paths, or the page.", content={JSON: Index, HTML: None})},
        example="/",
    ),
    Endpoint(
        path="/pipeline",
        scope=None,
        group="About",
        summary="The dashboard's page about the pipeline itself",
        description="A shell without data: its scripts ask for that.",
        answers={200: Answer(description="The page.", content={HTML: None})},
        example="/pipeline",
    ),
    Endpoint(
        path="/openapi.json",
        scope=None,
        group="About",
        summary="This document",
        description="OpenAPI 3.1.",
        answers=json_of(dict, "The document."),
        example="/openapi.json",
    ),
    Endpoint(
        path="/docs",
        scope=None,
        group="About",
        summary="This document, for people",
        description="A page without scripts.",
        answers={200: Answer(description="The page.", content={HTML: None})},
        example="/docs",
    ),
)
