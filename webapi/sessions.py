"""Who is logged in where API keys are required: sessions begin with a key, and end by the clock or with it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from pipeline.cache import Cache
from pipeline.errors import Denied, Unavailable
from pipeline.keyring import READ, SCHEME, Keyring
from webapi.session import SECONDS, Session, understood, written

COOKIE: Final = "tally_session"
_ENDED: Final = "the session has ended: log in again"


class Sessions:
    """Begins sessions and recognises them; threads may share it.

    The secret they are signed with is random, and agreed on in the cache, so that they outlive a restart and are good
    at every web API. While the cache is away, each goes on with what it has; a cache that forgot ends them at most.
    """

    def __init__(self, keyring: Keyring, cache: Cache, now: Callable[[], datetime]) -> None:
        self._keyring = keyring
        self._cache = cache
        self._now = now
        self._secret = secrets.token_bytes(32)

    def begin(self, key: str) -> tuple[str, Session]:
        """The cookie's text for who has a key that may read, and the session. Raises as `Keyring.admit`."""
        public_id = self._keyring.admit(f"{SCHEME} {key}", READ)
        self._agree()
        session = Session(public_id, int(self._now().timestamp()) + SECONDS)
        return written(session, self._secret, self._digest(public_id) or b""), session

    def found(self, text: str) -> Session | None:
        """The session of a cookie's text, None where it is none, or no more."""
        now = self._now().timestamp()
        session = understood(text, now, self._secret, self._digest)
        if session is None and text and self._agree():
            session = understood(text, now, self._secret, self._digest)
        return session

    def admit(self, text: str, scope: str) -> Session:
        """The session of a cookie's text, whose key allows `scope`. Raises as `Keyring.admit`."""
        if (session := self.found(text)) is None:
            self._keyring.require_known()
            raise Denied(401, _ENDED)
        self._keyring.admit_holder(session.public_id, scope)
        return session

    def holds(self, session: Session, scope: str) -> bool:
        """Whether it would be admitted still."""
        return self._now().timestamp() < session.until and self._keyring.holds(session.public_id, scope)

    def _agree(self) -> bool:
        """Asks the cache for the secret that counts; whether that is another one than before."""
        before = self._secret
        with suppress(Unavailable):
            self._secret = self._cache.agreed("session-secret", before)
        return self._secret != before

    def _digest(self, public_id: str) -> bytes | None:
        key = self._keyring.key(public_id)
        return key.digest if key else None
