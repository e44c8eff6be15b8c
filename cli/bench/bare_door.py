"""A bare door on the receiver's server: `python -m cli.bench.bare_door PORT`. What an upload costs at the least."""

from __future__ import annotations

import sys
from typing import Any

from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from pipeline import web_server


def build_app() -> Any:
    """An application that reads a body and answers 202."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


def main(port: int) -> int:
    """Serves until SIGTERM, as `receiver.main` does; returns the exit code."""
    return web_server.serve(
        "cli.bench.bare_door:build_app",
        "127.0.0.1",
        port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        log_level=LogLevels.error,
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
