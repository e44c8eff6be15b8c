"""Whose questions are answered where API keys are required: everything that shows a line or a number of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from flask import Flask, g, request

from pipeline.keyring import READ, Keyring
from webapi.assets import FOLDER
from webapi.endpoints import ENDPOINTS
from webapi.sessions import COOKIE, Sessions

_OPEN: Final = frozenset(endpoint.path for endpoint in ENDPOINTS if endpoint.scope is None)
_SCOPES: Final = {(endpoint.method, endpoint.rule): endpoint.scope for endpoint in ENDPOINTS}


def register(app: Flask, keyring: Keyring, sessions: Sessions) -> None:
    """Has every other page ask for a key that allows it, or a session of one, also one that does not exist."""

    @app.before_request
    def admit() -> None:
        # OPTIONS is what browsers ask before they ask, and comes without a key.
        if request.method == "OPTIONS" or request.path in _OPEN or request.path.startswith(f"{FOLDER}/"):
            return
        scope = _SCOPES.get((request.method, request.url_rule.rule if request.url_rule else "")) or READ
        authorization, cookie = request.headers.get("Authorization", ""), request.cookies.get(COOKIE)
        if authorization or cookie is None:
            g.stays = partial(keyring.holds, keyring.admit(authorization, scope), scope)
        else:
            g.stays = partial(sessions.holds, sessions.admit(cookie, scope), scope)


def staying() -> Callable[[], bool]:
    """Tells, for as long as a request lasts, whether whoever made it may still be answered."""
    stays: Callable[[], bool] = g.get("stays", lambda: True)
    return stays
