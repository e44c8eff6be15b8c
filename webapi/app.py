"""The web API's Flask application: its pages, and what every answer of it has."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from flask import Flask, Response, g, request

from pipeline.cache import Cache
from pipeline.keyring import Keyring
from pipeline.request_id import request_id
from pipeline.storage import Store
from webapi import compression, conditional, cors, errors, guard, microcache, own_page, static_files
from webapi.dashboard import Setup
from webapi.demo_traffic import Demo
from webapi.endpoints import ENDPOINTS
from webapi.login import Door
from webapi.metrics import Metrics
from webapi.pages import Pages
from webapi.resend import Resend, nowhere
from webapi.routes import routes
from webapi.sessions import Sessions
from webapi.site import Site
from webapi.streams import Streams


def compose(
    store: Store,
    cache: Cache,
    metrics: Metrics,
    now: Callable[[], datetime],
    streams: Streams | None = None,
    cors_origins: str | None = None,
    keyring: Keyring | None = None,
    setup: Setup | None = None,
    resend: Resend = nowhere,
    demo: Demo | None = None,
) -> Flask:
    """The application over a store and a cache; `now()` is UTC. Whoever gives `streams` can stop them.

    With a `keyring`, questions need a key of it, or a session that one began.
    """
    app = Flask(__name__, static_folder=None)
    origins = cors.Origins(cors_origins)
    errors.register(app)
    # Each looks at the answer after those below it.
    if keyring is None:  # else each is admitted, and counts for its key's rate
        microcache.register(app, metrics)
    _every_answer(app, metrics)
    sessions = None
    if keyring is not None:
        sessions = Sessions(keyring, cache, now)
        guard.register(app, keyring, sessions)
    own_page.register(app, keys=keyring is not None)
    compression.register(app)
    conditional.register(app)
    cors.register(app, origins)
    static_files.register(app, metrics, origins)
    site = Site(setup or Setup(), keys=keyring is not None)
    streams = streams or Streams()
    pages = Pages(store, cache, metrics, now, streams, keyring, resend, demo)
    door = Door(keyring, sessions, streams.bodies)
    for view, rule in routes(pages, site, door):
        methods = [endpoint.method for endpoint in ENDPOINTS if endpoint.rule == rule]
        app.add_url_rule(rule, view.__name__, view, methods=methods or ["GET"])
    return app


def _every_answer(app: Flask, metrics: Metrics) -> None:
    """Times and counts each request, gives it an id, and says what browsers may do with the answer."""

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()
        g.request_id = request_id(request.headers.get("X-Request-Id", ""))

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        route = request.url_rule.rule if request.url_rule else "none"
        metrics.answered(route, response.status_code, time.perf_counter() - g.begun)
        return response
