"""Which other sites' pages may read the answers: `CORS_ORIGINS` (Fetch standard, CORS protocol)."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

_METHODS: Final = "GET, HEAD, OPTIONS"
_ASKED: Final = "Authorization, If-None-Match, Last-Event-ID, X-Request-Id"
_SHOWN: Final = "Age, Content-Disposition, ETag, Link, Retry-After, X-Cache, X-Request-Id"
_MAX_AGE_SECONDS: Final = 600


def register(app: Flask, origins: str | None) -> None:
    """Lets pages of these origins (separated by commas, `*` for all, none for nobody) read every answer.

    Never with credentials that a browser adds by itself: a page brings its key in `Authorization`.
    """
    allowed = frozenset(origin.strip().lower() for origin in (origins or "").split(",") if origin.strip())
    if not allowed:
        return
    every = "*" in allowed

    @app.after_request
    def after(response: Response) -> Response:
        if not every:
            response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if not every and origin.lower() not in allowed:
            return response
        response.headers["Access-Control-Allow-Origin"] = "*" if every else origin
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _ASKED
            response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_SECONDS)
        else:
            response.headers["Access-Control-Expose-Headers"] = _SHOWN
        return response
