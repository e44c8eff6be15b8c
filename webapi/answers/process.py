"""What a process answers of itself."""

from __future__ import annotations

from typing import Literal

import msgspec


class Index(msgspec.Struct, frozen=True):
    """What there is."""

    name: str
    endpoints: tuple[str, ...]


class Health(msgspec.Struct, frozen=True):
    """This process answers."""

    status: Literal["ok"]


class Readiness(msgspec.Struct, frozen=True):
    """How its dependencies are, by name: `ok`, or what is wrong."""

    status: Literal["ok", "degraded", "unavailable"]
    checks: dict[str, str]
