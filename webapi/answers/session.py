"""Who logs in, and what is answered of it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from webapi.answers.quantities import Time


class Login(msgspec.Struct, frozen=True):
    """Who wants to log in: an API key."""

    key: Annotated[str, Meta(max_length=200)]


class SessionAnswer(msgspec.Struct, frozen=True):
    """Whether keys are required here, and whose session it is: the public id of the key, null for nobody's.

    `may_change` says whether this browser would be let change something, too.
    """

    required: bool
    key: str | None
    scopes: tuple[Literal["ingest", "read", "admin"], ...]
    ends_at: Time | None
    may_change: bool
