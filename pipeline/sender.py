"""Sends uploads to a receiver, each until it is known to count: with one key, over one connection."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit
from uuid import uuid4

import structlog

from pipeline.errors import ConfigurationError

log = structlog.get_logger(__name__)

# Longer than a receiver takes to decide.
TIMEOUT_SECONDS = 10.0
# The pause after a failure, doubled with each up to the second; what a server asks for is heeded up to the third.
_PAUSE, _PAUSE_LIMIT, _PAUSE_ASKED = 0.2, 5.0, 60.0
_AGAIN = frozenset({429, 502, 503, 504})


@dataclass
class Counts:
    """What became of the lines: `sent` are those of uploads that were answered for good."""

    uploads: int = 0
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    refused: int = 0
    retries: int = 0


@dataclass(frozen=True)
class Upload:
    """Lines under the key that every attempt to send them has."""

    lines: int
    body: bytes
    key: str

    @classmethod
    def of(cls, lines: list[str]) -> Upload:
        """Under a new key, whatever the seed is: another run's lines are other lines."""
        return cls(len(lines), json.dumps(lines).encode(), uuid4().hex)


class Sender:
    """One attempt a call; counts what came of it. `problem` says why the last one did not count, None where it did."""

    def __init__(self, url: str, api_key: str | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        """`url` is that of `/upload`. Raises ConfigurationError when it is none."""
        self._authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._parts = _parts(url)
        self._target = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        self._connect: Callable[[], http.client.HTTPConnection] = lambda: kind(
            self._parts.hostname or "", self._parts.port, timeout=timeout
        )
        self._connection: http.client.HTTPConnection | None = None
        self._failures = 0
        self.counts = Counts()
        self.problem: str | None = None

    def attempt(self, upload: Upload) -> float:
        """Sends an upload once; returns 0 when that was that, else after how many seconds to send it again."""
        try:
            status, retry_after, body = self._post(upload)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return self._again(f"{type(error).__name__}: {error}", 0.0)
        if status in _AGAIN:
            return self._again(f"answered {status}", retry_after)
        self._failures = 0
        self._count(upload, status, body)
        return 0.0

    def close(self) -> None:
        """Closes the connection; the next attempt opens another."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _post(self, upload: Upload) -> tuple[int, float, bytes]:
        self._connection = self._connection or self._connect()
        headers = {"Content-Type": "application/json", "Idempotency-Key": upload.key, "User-Agent": "tally-generator"}
        self._connection.request("POST", self._target, upload.body, headers | self._authorization)
        answer = self._connection.getresponse()
        said = answer.getheader("Retry-After", "")
        return answer.status, float(said) if said.isascii() and said.isdigit() else 0.0, answer.read()

    def _again(self, why: str, asked: float) -> float:
        pause: float = min(_PAUSE * 2**self._failures, _PAUSE_LIMIT)
        self._failures = min(self._failures + 1, 10)
        self.counts.retries += 1
        pause = max(pause, min(asked, _PAUSE_ASKED))
        self.problem = why
        log.warning("not sent yet", why=why, again_in_seconds=pause)
        return pause

    def _count(self, upload: Upload, status: int, body: bytes) -> None:
        counts = self.counts
        counts.uploads += 1
        counts.sent += upload.lines
        self.problem = None
        if status == 202:
            try:
                answer = json.loads(body)
                counts.accepted += int(answer["accepted"])
                counts.rejected += int(answer["rejected"])
                return
            except (ValueError, TypeError, KeyError):
                pass
        counts.refused += upload.lines
        self.problem = f"answered {status}"
        log.error("refused", status=status, answer=body[:300].decode(errors="replace"))


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sensible = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sensible = False
    if not sensible:
        # Without what was found: a URL may have a password in it.
        raise ConfigurationError("TARGET_API_URL: expected http://host:port/upload")
    return parts
