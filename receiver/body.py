"""Reading a request's body off the wire, never more of it than is allowed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from receiver.budget import Hold
from receiver.deadline import Deadline
from receiver.refusal import Refusal, too_large

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

READ_SECONDS = 30.0
DRAIN_SECONDS = 3.0
DRAIN_BYTES = 256 * 1024 * 1024


class Body:
    """One request's body, as it comes in."""

    __slots__ = ("_ended", "_loop", "_receive")

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._receive = receive
        self._loop = loop
        self._ended = False

    async def read(self, declared: int | None, max_bytes: int, hold: Hold) -> bytes:
        """The whole of it, of which `declared` bytes were announced.

        Raises Refusal: 400 when it ends too early, 408 when it takes too long, 413 past `max_bytes`, 503 when there
        is no room for it now.
        """
        try:
            # From the first byte on: a client that sends headers alone would be waited for without end.
            with Deadline(READ_SECONDS, self._loop):
                body = await self._next()
                hold.take(len(body))
                if len(body) == declared:
                    # All is there, as a rule at once: no need to ask for the end.
                    self._ended = True
                elif not self._ended:
                    body = await self._rest(body, max_bytes, hold)
        except TimeoutError:
            raise Refusal(408, f"the body did not arrive within {READ_SECONDS:g} s") from None
        if len(body) > max_bytes:
            raise too_large(max_bytes)
        if declared is not None and len(body) < declared:
            raise Refusal(400, f"the body ended after {len(body)} of the {declared} bytes that Content-Length says")
        return body

    async def drain(self) -> None:
        """Lets a client finish that was refused early: one that is cut off while it sends never reads the answer."""
        if self._ended:
            return
        left = DRAIN_BYTES
        with contextlib.suppress(TimeoutError, Refusal), Deadline(DRAIN_SECONDS, self._loop):
            while not self._ended and left > 0:
                left -= len(await self._next())

    async def _rest(self, first: bytes, max_bytes: int, hold: Hold) -> bytes:
        chunks, length = [first], len(first)
        while not self._ended and length <= max_bytes:
            chunk = await self._next()
            hold.take(len(chunk))
            chunks.append(chunk)
            length += len(chunk)
        return b"".join(chunks)

    async def _next(self) -> bytes:
        message = await self._receive()
        self._ended = not message.get("more_body")
        if message["type"] == "http.disconnect":
            raise Refusal(400, "the connection ended before the body")
        chunk: bytes = message.get("body", b"")
        return chunk
