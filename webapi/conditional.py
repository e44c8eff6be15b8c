"""Answers that did not change since they were asked for are not sent again: ETag, If-None-Match, 304 (RFC 9110)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from flask import Flask, Response, request

REVALIDATED: Final = frozenset(("application/json", "text/html"))


def register(app: Flask) -> None:
    """Gives whole answers of these content types an ETag, and answers 304 to who has it already.

    It is a weak one, since compressed and plain answers share it.
    """
    app.after_request(_after)


def _after(response: Response) -> Response:
    asked = request.method in ("GET", "HEAD") and response.status_code == 200
    if not asked or "Cache-Control" in response.headers or response.is_streamed or response.mimetype not in REVALIDATED:
        return response
    etag = blake2b(response.get_data(), digest_size=12).hexdigest()
    response.set_etag(etag, weak=True)
    # May be kept, and is asked for each time.
    response.headers["Cache-Control"] = "no-cache"
    if request.if_none_match.contains_weak(etag):
        response.status_code = 304
        response.set_data(b"")
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    return response
