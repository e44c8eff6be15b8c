"""A bare door on the receiver's server: `python -m cli.bench.bare_door PORT`. What an upload costs at the least."""

from __future__ import annotations

import sys
from typing import Any, Final

from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from pipeline import web_server

_HEADERS: Final = [(b"content-type", b"application/json"), (b"content-length", b"2")]


def build_app() -> Any:
    """An application that reads a body and answers 202."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await body(receive)
            await answer(send, 202)

    return app


async def body(receive: Any) -> bytes:
    """The whole body of a request."""
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def answer(send: Any, status: int) -> None:
    """Sends an answer that says nothing."""
    await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b"{}"})


def serve(target: str, port: int) -> int:
    """Serves what `target` builds until SIGTERM, as `receiver.main` does; returns the exit code."""
    return web_server.serve(
        target,
        "127.0.0.1",
        port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        log_level=LogLevels.error,
    )


if __name__ == "__main__":
    sys.exit(serve("cli.bench.bare_door:build_app", int(sys.argv[1])))
