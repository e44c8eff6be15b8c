"""The receiver's ASGI application: uploads go past the router, everything else through it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.health import Check, readiness
from pipeline.problem import CONTENT_TYPE, problem

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def compose(
    upload: AsgiApp,
    checks: Mapping[str, Check],
    registry: CollectorRegistry,
    lifespan: Lifespan,
    document: Mapping[str, Any],
) -> AsgiApp:
    """`/upload`, `/healthz`, `/readyz`, `/metrics`, `/openapi.json`; else a problem is answered."""

    def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def readyz(_: Request) -> Response:
        ok, answers = readiness(checks)
        return JSONResponse({"status": "ok" if ok else "unavailable", "checks": answers}, 200 if ok else 503)

    def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def openapi(_: Request) -> Response:
        return JSONResponse(document)

    pages = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/openapi.json", openapi),
        ],
        exception_handlers={HTTPException: _problem},
        lifespan=lifespan,
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        # The router and its middleware cost a third of what an upload does.
        if scope["type"] == "http" and scope["path"] == "/upload":
            await upload(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return app


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = problem(error.status_code, error.detail, request.url.path)
    return Response(said.body(), error.status_code, error.headers, media_type=CONTENT_TYPE)
