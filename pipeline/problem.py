"""A problem told over HTTP: RFC 9457 bodies, one shape for every API of ours."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

import msgspec

CONTENT_TYPE = "application/problem+json"


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong: `pointer` is a JSON Pointer into the request's body, or a parameter's name.

    `character` is at which of the parameter's characters, the first being 1, where that is known.
    """

    pointer: str
    detail: str
    character: int | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong, for a program (`status`, `errors`) and for a person (`title`, `detail`)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str | None = None
    errors: tuple[Fault, ...] = ()

    def body(self) -> bytes:
        """The JSON body; goes out as CONTENT_TYPE."""
        return msgspec.json.encode(self)


def problem(
    status: int, detail: str, path: str, *, request_id: str | None = None, errors: tuple[Fault, ...] = ()
) -> Problem:
    """A problem whose title is its status's own phrase, as the type `about:blank` says.

    `path` is the request's, not quoted.
    """
    return Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=quote(path, errors="replace"),
        request_id=request_id,
        errors=errors,
    )
