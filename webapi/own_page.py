"""Requests that change something: only from a page of ours, or from who is no browser (CSRF)."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Request, request
from werkzeug.exceptions import UnsupportedMediaType

from pipeline.errors import Denied
from webapi.sessions import COOKIE

_ASKS_ONLY: Final = frozenset(("GET", "HEAD", "OPTIONS"))
MOST_BYTES: Final = 16 * 1024


def register(app: Flask, keys: bool) -> None:
    """Refuses what another site's page has a browser send; without `keys`, also what was not sent to this machine.

    Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`), and let no foreign page send JSON unasked. A
    name that was made to lead here (DNS rebinding) is no foreign page to them: so no name is good but this machine's.
    """
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES

    @app.before_request
    def admit() -> None:
        if request.method in _ASKS_ONLY or request.routing_exception is not None:
            return
        if not _is_own(request):
            raise Denied(403, "this comes from another site's page")
        if not keys and not is_this_machine(request.host):
            raise Denied(403, "where no API keys are required, this is for who asks for 127.0.0.1 or localhost")
        if request.mimetype != "application/json":
            raise UnsupportedMediaType("expected Content-Type: application/json")


def is_this_machine(host: str) -> bool:
    """Whether a Host header names this machine to itself."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _is_own(asked: Request) -> bool:
    if (site := asked.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    if (origin := asked.headers.get("Origin")) is not None:
        return urlsplit(origin).netloc.lower() == asked.host.lower()
    # No browser then, or one that hides it: what it adds by itself does not count, and no page elsewhere has a key.
    return COOKIE not in asked.cookies or "Authorization" in asked.headers
