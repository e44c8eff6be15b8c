"""A bare receiver: `python -m cli.bench.bare_receiver PORT`. Kafka has what it answers 202 to, whatever that is.

kafka-python chooses the partitions, and so gives both threads of the bare worker as much.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import Any

from cli.bench import parts
from cli.bench.bare_door import answer, body, serve
from pipeline import process, producer, settings
from receiver.acknowledgements import Acknowledgements, Outcome
from receiver.main import NICE


def build_app() -> Any:
    """An application that reads a body, sends it to Kafka as it is, and answers once Kafka has it."""
    loaded = settings.load()
    sending = producer.build(loaded)
    headers = parts.headers()
    acknowledgements: list[Acknowledgements] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        loop = asyncio.get_running_loop()
        if not acknowledgements:
            acknowledgements.append(Acknowledgements(loop))
        content = await body(receive)
        waiter: asyncio.Future[Outcome] = loop.create_future()
        sent = sending.send(loaded.kafka_topic, value=content, headers=headers)
        sent.add_both(partial(acknowledgements[0].settle, waiter))
        await answer(send, 500 if isinstance(await waiter, Exception) else 202)

    return app


if __name__ == "__main__":
    process.give_way(NICE)
    sys.exit(serve("cli.bench.bare_receiver:build_app", int(sys.argv[1])))
