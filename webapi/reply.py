"""What the pages of the API have in common: the parameters that came, and answers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from flask import Response, request
from werkzeug.exceptions import BadRequest

from webapi.streams import Places

T = TypeVar("T")


def pairs() -> list[tuple[str, str]]:
    """The query's parameters as they came, also those that came twice."""
    return list(request.args.items(multi=True))


def body(struct: type[T], places: Places) -> T:
    """What was sent, as a struct, which takes one of the places until all of it has come.

    Raises BadRequest, and TooManyRequests where there is no place.
    """
    with places.taken():
        sent = request.get_data()
    try:
        return msgspec.json.decode(sent, type=struct)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body cannot be understood: {error}") from None


def json(content: Mapping[str, Any] | msgspec.Struct, status: int = 200) -> Response:
    """An answer."""
    return Response(msgspec.json.encode(content), status, content_type="application/json")
