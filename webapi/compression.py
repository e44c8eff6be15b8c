"""Answers of some size, compressed for who understands it."""

from __future__ import annotations

import gzip
from typing import Final

from flask import Flask, Response, request

LEAST_BYTES: Final = 1024
_LEVEL: Final = 5
_TYPES: Final = frozenset(("application/json", "application/problem+json", "text/css", "text/html", "text/plain"))


def register(app: Flask) -> None:
    """Compresses whole answers of text. What is streamed goes out as it comes: no line of a stream may wait."""
    app.after_request(_after)


def _after(response: Response) -> Response:
    if response.is_streamed or response.mimetype not in _TYPES or response.content_encoding:
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if len(body) > LEAST_BYTES and request.accept_encodings["gzip"] > 0:
        response.set_data(gzip.compress(body, _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
