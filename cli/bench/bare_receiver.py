"""A bare receiver: `python -m cli.bench.bare_receiver PORT`. Kafka has what it answers 202 to, whatever that is."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import Any, Final

from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from pipeline import process, producer, settings, web_server
from receiver.acknowledgements import Acknowledgements, Outcome
from receiver.main import NICE

_HEADERS: Final = [(b"content-type", b"application/json"), (b"content-length", b"2")]


def build_app() -> Any:
    """An application that reads a body, sends it to Kafka as it is, and answers once Kafka has it."""
    loaded = settings.load()
    sending = producer.build(loaded)
    acknowledgements: list[Acknowledgements] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        loop = asyncio.get_running_loop()
        if not acknowledgements:
            acknowledgements.append(Acknowledgements(loop))
        chunks, more = [], True
        while more:
            message = await receive()
            chunks.append(message.get("body", b""))
            more = message.get("more_body")
        waiter: asyncio.Future[Outcome] = loop.create_future()
        sent = sending.send(loaded.kafka_topic, value=b"".join(chunks))
        sent.add_both(partial(acknowledgements[0].settle, waiter))
        status = 500 if isinstance(await waiter, Exception) else 202
        await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


def main(port: int) -> int:
    """Serves until SIGTERM, as `receiver.main` does; returns the exit code."""
    process.give_way(NICE)
    return web_server.serve(
        "cli.bench.bare_receiver:build_app",
        "127.0.0.1",
        port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        log_level=LogLevels.error,
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
