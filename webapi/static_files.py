"""Assets are answered before Flask: a WSGI middleware. A first load of a page asks for some fifty of them at once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from flask import Flask
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from pipeline.request_id import request_id
from webapi.assets import ROUTE, assets
from webapi.cors import Origins
from webapi.metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Of another content the path is another.
_CACHE: Final = ("Cache-Control", "public, max-age=31536000, immutable")


class StaticFiles:
    """Answers GET and HEAD of the assets that there are; everything else is the application's."""

    def __init__(self, app: WSGIApplication, metrics: Metrics, origins: Origins) -> None:
        served = assets()
        self._files = {served.path(name): asset for name, asset in served.files.items()}
        self._app = app
        self._metrics = metrics
        self._origins = origins

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a request, or has the application answer it."""
        begun = time.perf_counter()
        method, found = environ["REQUEST_METHOD"], self._files.get(environ["PATH_INFO"])
        if found is None or method not in ("GET", "HEAD"):
            return self._app(environ, start_response)
        understood = parse_accept_header(environ.get("HTTP_ACCEPT_ENCODING"), Accept)
        packed = found.compressed if understood["gzip"] > 0 else None
        body = packed or found.plain
        headers = [
            ("Content-Type", found.content_type),
            ("Content-Length", str(len(body))),
            ("Vary", ", ".join(("Accept-Encoding", *self._origins.vary))),
            _CACHE,
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", request_id(environ.get("HTTP_X_REQUEST_ID", ""))),
            *self._origins.granted(environ.get("HTTP_ORIGIN", "")).items(),
        ]
        start_response("200 OK", [*headers, ("Content-Encoding", "gzip")] if packed else headers)
        self._metrics.answered(ROUTE, 200, time.perf_counter() - begun)
        return (body,) if method == "GET" else ()


def register(app: Flask, metrics: Metrics, origins: Origins) -> None:
    """Has it answer for the application where it can."""
    app.wsgi_app = StaticFiles(app.wsgi_app, metrics, origins)  # type: ignore[method-assign]
