"""What the pages of the API have in common: the parameters that came, and answers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Response, request


def pairs() -> list[tuple[str, str]]:
    """The query's parameters as they came, also those that came twice."""
    return list(request.args.items(multi=True))


def json(content: Mapping[str, Any] | msgspec.Struct, status: int = 200) -> Response:
    """An answer."""
    return Response(msgspec.json.encode(content), status, content_type="application/json")
