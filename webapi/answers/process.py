"""What a process answers of itself."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Index(msgspec.Struct, frozen=True):
    """What there is."""

    name: str
    endpoints: tuple[str, ...]


class Health(msgspec.Struct, frozen=True):
    """This process answers."""

    status: Literal["ok"]


class DemoTraffic(msgspec.Struct, frozen=True):
    """Made-up lines are sent, for so many seconds still."""

    seconds: Annotated[float, Meta(ge=0)]


class Readiness(msgspec.Struct, frozen=True):
    """How its dependencies are, by name: `ok`, or what is wrong."""

    status: Literal["ok", "degraded", "unavailable"]
    checks: dict[str, str]
