"""What the pages of the API have in common: the parameters that came, and answers as JSON."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from flask import Response, request
from werkzeug.exceptions import BadRequest, ServiceUnavailable

T = TypeVar("T")

# Bodies that are waited for at once, each by a thread of the server's and for as long as its sender likes: the server
# has no end to that, and whoever logs in has no key yet.
BODIES: Final = 4
_places = threading.BoundedSemaphore(BODIES)


def pairs() -> list[tuple[str, str]]:
    """The query's parameters as they came, also those that came twice."""
    return list(request.args.items(multi=True))


def body(struct: type[T]) -> T:
    """What was sent, as a struct. Raises BadRequest, and ServiceUnavailable where BODIES are being waited for."""
    if not _places.acquire(blocking=False):
        raise ServiceUnavailable("too many requests are still being sent; ask again in a moment", retry_after=1)
    try:
        return msgspec.json.decode(request.get_data(), type=struct)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body cannot be understood: {error}") from None
    finally:
        _places.release()


def json(content: Mapping[str, Any] | msgspec.Struct, status: int = 200) -> Response:
    """An answer."""
    return Response(msgspec.json.encode(content), status, content_type="application/json")
