"""Whose questions are answered where API keys are required: everything that shows a line or a number of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from flask import Flask, g, request

from pipeline.keyring import READ, Keyring
from webapi.assets import FOLDER
from webapi.endpoints import ENDPOINTS

_OPEN: Final = frozenset({endpoint.path for endpoint in ENDPOINTS if endpoint.is_open})


def register(app: Flask, keyring: Keyring) -> None:
    """Has every other page ask for a key that may read, also one that does not exist."""

    @app.before_request
    def admit() -> None:
        # OPTIONS is what browsers ask before they ask, and comes without a key.
        if request.method != "OPTIONS" and not _is_open(request.path):
            g.api_key = keyring.admit(request.headers.get("Authorization", ""), READ)


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(f"{FOLDER}/")


def staying(keyring: Keyring | None) -> Callable[[], bool]:
    """Tells, for as long as a request lasts, whether whoever made it may still be answered."""
    if keyring is None:
        return lambda: True
    return partial(keyring.holds, g.api_key, READ)
