"""What came from the cache a moment ago is answered again as it was, before Flask: a WSGI middleware.

Pages that many look at ask for the same statistics again and again; Flask and Redis are asked for each of them a few
times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from flask import Flask, Response, request

from pipeline.request_id import request_id
from webapi.metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KEPT_SECONDS: Final = 0.25
# Answers, each of a query as it was spelled.
MOST: Final = 512
_PATH: Final = "/stats"
# All of a request that its answer depends on.
_VARIES: Final = (
    "QUERY_STRING",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_IF_NONE_MATCH",
    "HTTP_ORIGIN",
)
_LONGEST: Final = 2_000  # characters of these
_ITS_OWN: Final = "X-Request-Id"


class Kept(NamedTuple):
    """An answer but for its request's id, and until when it may be given."""

    until: float
    status: str
    headers: list[tuple[str, str]]
    body: bytes


class MicroCache:
    """Keeps the answers to GET /stats that say `X-Cache: hit`."""

    def __init__(self, app: Flask, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._app = app.wsgi_app
        self._metrics = metrics
        self._clock = clock
        self._kept: dict[tuple[str, ...], Kept] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a request, or has the application answer it."""
        begun = self._clock()
        kept = self._kept.get(_key(environ)) if _is_asked(environ) else None
        if kept is None or kept.until <= begun:
            return self._app(environ, start_response)
        said = request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        start_response(kept.status, [*kept.headers, (_ITS_OWN, said)])
        self._metrics.looked_up("hit")
        self._metrics.answered(_PATH, int(kept.status[:3]), self._clock() - begun)
        return (kept.body,)

    def keep(self, response: Response) -> Response:
        """Looks at an answer as it goes out."""
        environ = request.environ
        if response.headers.get("X-Cache") != "hit" or not _is_asked(environ):
            return response
        key = _key(environ)
        if sum(map(len, key)) > _LONGEST:
            return response
        if len(self._kept) >= MOST:
            self._kept.clear()
        headers = [one for one in response.get_wsgi_headers(environ).to_wsgi_list() if one[0] != _ITS_OWN]
        self._kept[key] = Kept(self._clock() + KEPT_SECONDS, response.status, headers, response.get_data())
        return response


def register(app: Flask, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
    """Has it answer for the application where it can. It must see an answer last: register it first."""
    cache = MicroCache(app, metrics, clock)
    app.wsgi_app = cache  # type: ignore[method-assign]
    app.after_request(cache.keep)


def _is_asked(environ: WSGIEnvironment) -> bool:
    return (environ["PATH_INFO"], environ["REQUEST_METHOD"]) == (_PATH, "GET")


def _key(environ: WSGIEnvironment) -> tuple[str, ...]:
    return tuple([environ.get(name, "") for name in _VARIES])
