"""The name of a request: in its answer, in problems, in the log, and in the record of an upload."""

from __future__ import annotations

import random
import re
from typing import Final

_SENSIBLE: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def request_id(said: str) -> str:
    """What the request's `X-Request-Id` says, where that can be repeated safely, else a new one."""
    # It must differ from all others, and is no secret: for the system's random bytes another thread would take the GIL.
    return said if _SENSIBLE.fullmatch(said) else random.randbytes(16).hex()
