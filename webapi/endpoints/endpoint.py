"""An endpoint, as it is declared: what the API's document says of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pipeline.keyring import READ
from webapi.declarations import Parameters

JSON: Final = "application/json"
HTML: Final = "text/html"
TEXT: Final = "text/plain"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is no problem: for each content type a struct, or None for text; and its further headers."""

    description: str
    content: dict[str, Any]
    headers: tuple[str, ...] = ()


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A path and a method. `example` is a query to begin with; `problems` are statuses.

    `body` is what is sent, a struct as JSON, and `sent` an example of it.

    `scope` is what a key must allow where keys are required; None: nobody needs one, as it shows no line and no number
    of lines of a time.
    """

    path: str
    method: str = "GET"
    scope: str | None = READ
    body: Any = None
    sent: str = "{}"
    group: str
    summary: str
    description: str
    answers: dict[int, Answer]
    parameters: Parameters = ()
    in_path: Parameters = ()
    in_header: Parameters = ()
    problems: tuple[int, ...] = ()
    example: str = ""

    @property
    def rule(self) -> str:
        """The path as Flask has it."""
        return self.path.replace("{id}", "<number>")


def json_of(struct: Any, description: str, *headers: str) -> dict[int, Answer]:
    """A 200 with a struct as JSON."""
    return {200: Answer(description=description, content={JSON: struct}, headers=headers)}


# What may befall who asks for what is stored.
STORED: Final = (400, 503)
