"""Reading a request's body off the wire, never more of it than is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from receiver.budget import Hold
from receiver.declared import too_large
from receiver.refusal import Refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

READ_SECONDS = 30.0
DRAIN_SECONDS = 1.0


async def read(receive: Receive, declared: int | None, max_bytes: int, hold: Hold) -> bytes:
    """The whole body, of which `declared` bytes were announced.

    Raises Refusal: 400 when it ends too early, 408 when it takes too long, 413 past `max_bytes`, 503 when there is no
    room for it now.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    hold.take(len(body))
    # What was announced is all there, as a rule at once: no need to ask for the end.
    if message.get("more_body") and len(body) != declared:
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await _rest(receive, body, max_bytes, hold)
        except TimeoutError:
            raise Refusal(408, f"the body did not arrive within {READ_SECONDS:g} s") from None
    elif message["type"] == "http.disconnect":
        raise Refusal(400, "the connection ended before the body")
    if len(body) > max_bytes:
        raise too_large(max_bytes)
    if declared is not None and len(body) < declared:
        raise Refusal(400, f"the body ended after {len(body)} of the {declared} bytes that Content-Length says")
    return body


async def _rest(receive: Receive, first: bytes, max_bytes: int, hold: Hold) -> bytes:
    chunks, length = [first], len(first)
    while length <= max_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, f"the connection ended after {length} bytes of the body")
        chunk = message.get("body", b"")
        hold.take(len(chunk))
        chunks.append(chunk)
        length += len(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)
    chunks.clear()
    await drain(receive, max_bytes)
    raise too_large(max_bytes)


async def drain(receive: Receive, max_bytes: int) -> None:
    """Lets a client finish that has little more to send: one that is cut off while it sends never sees the answer."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while max_bytes > 0:
                message = await receive()
                max_bytes -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        return
