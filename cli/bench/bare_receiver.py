"""A bare receiver: `python -m cli.bench.bare_receiver PORT`. Kafka has what it answers 202 to, whatever that is.

kafka-python chooses the partitions, and so gives both threads of the bare worker as much.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

from cli.bench.bare_door import answer, body, serve
from cli.bench.parts import upload
from pipeline import process, producer, settings
from pipeline.checkpoint import nowhere
from pipeline.errors import TallyError
from receiver.main import NICE
from receiver.producers import Producers
from receiver.publisher import Publisher
from receiver.wiring import publisher_of


def build_app() -> Any:
    """An application that reads a body, has it sent to Kafka among others, and answers once Kafka has it."""
    loaded = settings.load()
    producers = Producers(lambda: producer.build(loaded), producer.abandon, producer.is_astray)
    producers.start()
    producers.first.wait()
    publishers: list[Publisher] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if not publishers:
            publishers.append(publisher_of(producers, loaded, nowhere, asyncio.get_running_loop()))
        content = await body(receive)
        try:
            await publishers[0].publish(upload(content, datetime.now(UTC)), content, sharing=True)
        except TallyError:
            await answer(send, 500)
        else:
            await answer(send, 202)

    return app


if __name__ == "__main__":
    process.give_way(NICE)
    sys.exit(serve("cli.bench.bare_receiver:build_app", int(sys.argv[1])))
