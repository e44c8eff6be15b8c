"""API keys as a process has them in memory: who may do what, and how often. Pure but for its clock."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from pipeline.errors import Denied, Unavailable

INGEST, READ, ADMIN = SCOPES = ("ingest", "read", "admin")
SCHEME: Final = "Bearer"
SECURITY: Final = {"type": "http", "scheme": SCHEME.lower(), "description": "A key that `tally keys create` made."}
"""How OpenAPI says it."""

_KEY: Final = re.compile(r"tally_([0-9a-f]{16})_([0-9a-f]{64})")
_CREDENTIALS: Final = re.compile(r"bearer +([!-~]+) *", re.IGNORECASE)
_MISSING: Final = f"a key is needed: Authorization: {SCHEME} tally_…, made by `tally keys create`"
_UNKNOWN: Final = "this key is not known, or was revoked"


class ApiKey(msgspec.Struct, frozen=True):
    """What is kept of a key: `digest` is the SHA-256 of its secret, which nobody has but its owner.

    `rate` is how many requests a second one process takes of it; None: as many as come.
    """

    public_id: str
    digest: bytes
    scopes: frozenset[str]
    rate: int | None = None


class Uses(msgspec.Struct):
    """What was done with a key: uploads and lines that were taken, requests that were refused."""

    uploads: int = 0
    lines: int = 0
    refusals: int = 0

    def __iadd__(self, more: Uses) -> Uses:
        self.uploads += more.uploads
        self.lines += more.lines
        self.refusals += more.refusals
        return self


def minted() -> tuple[str, str]:
    """A new key's public id and the key as its owner writes it: 256 random bits (NIST SP 800-63B asks for 112)."""
    public_id = secrets.token_hex(8)
    return public_id, f"tally_{public_id}_{secrets.token_hex(32)}"


def digest(key: str) -> bytes:
    """What is kept of a key's secret. No salt and no stretching: nobody guesses 256 bits."""
    return hashlib.sha256(key.encode()).digest()


class Keyring:
    """The keys that count now, their allowances, and what was done with them since `drain`. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: dict[str, ApiKey] | None = None
        self._allowances: dict[str, _Allowance] = {}
        self._uses: dict[str, Uses] = {}
        self._lock = threading.Lock()

    def replace(self, keys: Iterable[ApiKey]) -> None:
        """Takes the place of all keys that were known."""
        found = {key.public_id: key for key in keys}
        with self._lock:
            self._keys = found
            self._allowances = {id: one for id, one in self._allowances.items() if id in found}

    def require_known(self) -> None:
        """Raises Unavailable until the keys were read once."""
        if self._keys is None:
            raise Unavailable("database", "the API keys were not read yet")

    def admit(self, authorization: str, scope: str) -> str:
        """The public id of the key that an Authorization header has, which allows `scope`.

        Raises Denied: 401 for no key, and for one that is malformed, unknown or revoked (which of these is not said),
        403 for one without the scope, 429 past its rate; Unavailable until the keys were read once.
        """
        self.require_known()
        return self._admitted(self._found(authorization), scope)

    def admit_holder(self, public_id: str, scope: str) -> str:
        """The same for who has proved to hold a key in another way; raises as `admit`."""
        self.require_known()
        if (key := self.key(public_id)) is None:
            raise Denied(401, _UNKNOWN)
        return self._admitted(key, scope)

    def key(self, public_id: str) -> ApiKey | None:
        """The key of this public id, None for one that is not known or was revoked."""
        return (self._keys or {}).get(public_id)

    def holds(self, public_id: str, scope: str) -> bool:
        """Whether a key that was admitted would be so still."""
        key = self.key(public_id)
        return key is not None and scope in key.scopes

    def used(self, public_id: str, what: Uses) -> None:
        """Adds to what was done with a key."""
        with self._lock:
            uses = self._uses.setdefault(public_id, Uses())
            uses += what

    def drain(self) -> dict[str, Uses]:
        """What was done since the last time, by public id; forgets it."""
        with self._lock:
            uses, self._uses = self._uses, {}
        return uses

    def _admitted(self, key: ApiKey, scope: str) -> str:
        if scope not in key.scopes:
            self.used(key.public_id, Uses(refusals=1))
            raise Denied(403, f"this key is for {' and '.join(sorted(key.scopes))}, and this takes one for {scope}")
        with self._lock:
            used = self._uses.setdefault(key.public_id, Uses())
            wait = self._wait(key)
            used.refusals += bool(wait)
        if wait:
            raise Denied(429, f"this key makes more than {key.rate} requests a second", retry_after=1)
        return key.public_id

    def _found(self, authorization: str) -> ApiKey:
        said = _CREDENTIALS.fullmatch(authorization)
        if said is None:
            raise Denied(401, _MISSING)
        match = _KEY.fullmatch(said[1])
        key = self.key(match[1]) if match else None
        # As long for what is no key and for a public id that there is not: what takes longer tells.
        known = key.digest if key else b"\0" * 32
        if not hmac.compare_digest(digest(said[1]), known) or key is None:
            raise Denied(401, _UNKNOWN)
        return key

    def _wait(self, key: ApiKey) -> bool:
        if key.rate is None:
            return False
        allowance = self._allowances.get(key.public_id)
        if allowance is None or allowance.rate != key.rate:
            allowance = self._allowances[key.public_id] = _Allowance(key.rate, self._clock())
        return not allowance.take(self._clock())


class _Allowance:
    """A token bucket: `rate` requests a second, and one second's worth at once."""

    __slots__ = ("_at", "_left", "rate")

    def __init__(self, rate: int, now: float) -> None:
        self.rate = rate
        self._left, self._at = float(rate), now

    def take(self, now: float) -> bool:
        """Whether there is one left, which is then taken."""
        self._left = min(self.rate, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
