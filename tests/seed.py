"""What the choices of a program come from, so that they can be made again."""

from __future__ import annotations

import secrets


def said(given: str) -> int:
    """The seed that was given, or a new one where there was none; says it before anything is done with it."""
    seed = int(given) if given else secrets.randbelow(2**32)
    print(f"seed {seed}", flush=True)
    return seed
