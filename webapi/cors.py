"""Which other sites' pages may read the answers: `CORS_ORIGINS` (Fetch standard, CORS protocol)."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

_METHODS: Final = "GET, HEAD, OPTIONS"
_ASKED: Final = "Authorization, If-None-Match, Last-Event-ID, X-Request-Id"
_SHOWN: Final = "Age, Content-Disposition, ETag, Link, Retry-After, Server-Timing, X-Cache, X-Request-Id"
_MAX_AGE_SECONDS: Final = 600


class Origins:
    """The origins whose pages may read every answer: separated by commas, `*` for all, none for nobody.

    Never with credentials that a browser adds by itself: a page brings its key in `Authorization`.
    """

    def __init__(self, said: str | None) -> None:
        self._allowed = frozenset(origin.strip().lower() for origin in (said or "").split(",") if origin.strip())
        self._every = "*" in self._allowed

    @property
    def vary(self) -> tuple[str, ...]:
        """The request's headers on which that depends."""
        return ("Origin",) if self._allowed and not self._every else ()

    def granted(self, origin: str) -> dict[str, str]:
        """The headers by which a page of this origin may read an answer: none where it may not."""
        if not self._every and origin.lower() not in self._allowed:
            return {}
        return {"Access-Control-Allow-Origin": "*" if self._every else origin, "Access-Control-Expose-Headers": _SHOWN}


def register(app: Flask, origins: Origins) -> None:
    """Says it in every answer, and to browsers that ask before they ask."""

    @app.after_request
    def after(response: Response) -> Response:
        response.vary.update(origins.vary)
        granted = origins.granted(request.headers.get("Origin", ""))
        response.headers.update(granted)
        if granted and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            del response.headers["Access-Control-Expose-Headers"]
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _ASKED
            response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_SECONDS)
        return response
