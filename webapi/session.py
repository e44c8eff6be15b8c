"""Sessions: that somebody held an API key at a log-in, as a signed text that a browser keeps in a cookie. Pure.

The text has the key's public id and when it ends, and nothing secret. It is signed with a secret that the web APIs
share, and over the digest of the key: neither the database nor the cache alone has what makes a session, and a key
that is revoked takes its sessions with it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Final, NamedTuple

SECONDS: Final = 12 * 3600
"""How long a session lasts."""

_TEXT: Final = re.compile(r"1\.([0-9a-f]{16})\.([0-9]{1,12})\.([0-9a-f]{64})")


class Session(NamedTuple):
    """Whose key it was, and the end, in seconds since the epoch."""

    public_id: str
    until: int


def written(session: Session, secret: bytes, digest: bytes) -> str:
    """The cookie's text; `digest` is the key's (`pipeline.keyring`)."""
    said = f"1.{session.public_id}.{session.until}"
    return f"{said}.{_signature(said, secret, digest)}"


def understood(text: str, now: float, secret: bytes, digest_of: Callable[[str], bytes | None]) -> Session | None:
    """The session of a cookie's text; None where nobody here wrote it, its key is not known, or it has ended."""
    if not (match := _TEXT.fullmatch(text)):
        return None
    session = Session(match[1], int(match[2]))
    # As long for a key that there is not: what takes longer tells.
    digest = digest_of(session.public_id)
    expected = _signature(text.rpartition(".")[0], secret, digest or b"\0" * 32)
    genuine = hmac.compare_digest(match[3], expected)
    return session if genuine and digest is not None and now < session.until else None


def _signature(said: str, secret: bytes, digest: bytes) -> str:
    return hmac.digest(secret, digest + said.encode(), "sha256").hex()
