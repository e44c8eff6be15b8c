"""The name of a request: in its answer, in problems and in the log."""

from __future__ import annotations

import re
from typing import Final
from uuid import uuid4

_SENSIBLE: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,100}")


def request_id(said: str) -> str:
    """What the request's `X-Request-Id` says, where that is sensible, else a new one."""
    return said if _SENSIBLE.fullmatch(said) else uuid4().hex
