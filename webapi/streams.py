"""The answers that stream: how many there may be at once, and that all of them end with the process."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

from werkzeug.exceptions import TooManyRequests

# Each holds a thread of the server's; what is left of them answers everything else.
TAILS: Final = 8
EXPORTS: Final = 4
# Requests of which not all has come: they are waited for as long as their senders like, and who logs in has no key yet.
BODIES: Final = 4
RETRY_AFTER_SECONDS: Final = 10


class Places:
    """So many streams of one kind at once."""

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Holds one of the places. Raises TooManyRequests where none is free."""
        if not self._free.acquire(blocking=False):
            detail = f"{self._most} {self._what} are open, and that is the most; close one, or ask again later"
            raise TooManyRequests(detail, retry_after=RETRY_AFTER_SECONDS)
        try:
            yield
        finally:
            self._free.release()


class Streams:
    """All streams of a process; `stop` ends them."""

    def __init__(self, tails: int = TAILS, exports: int = EXPORTS) -> None:
        self.bodies = Places("unfinished requests", BODIES)
        self.tails = Places("tails", tails)
        self.exports = Places("exports", exports)
        self.stopping = threading.Event()

    def stop(self) -> None:
        """Has every stream end."""
        self.stopping.set()


def begun(chunks: Generator[bytes, None, None]) -> Iterator[bytes]:
    """The same chunks, the first of which is there already: what went wrong until then is raised here."""
    return _after(next(chunks), chunks)


def _after(first: bytes, rest: Generator[bytes, None, None]) -> Iterator[bytes]:
    try:
        # An empty chunk is how a body ends.
        if first:
            yield first
        yield from rest
    finally:
        rest.close()
