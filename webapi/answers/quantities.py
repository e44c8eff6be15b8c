"""What answers tell: moments, counts, shares, and the window that they are of."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Milliseconds = Annotated[float, Meta(ge=0)]
Scope = Literal["stored", "all"]
Range = Literal["15m", "hour", "day", "week"]


class Window(msgspec.Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """Both ends are included."""

    first: Time
    last: Time
