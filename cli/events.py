"""Server-sent events, taken out of a stream of bytes: pure.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

_END = re.compile(r"\r\n|\n|\r(?!\n|$)")


class Event(NamedTuple):
    """An event: `id` is the last that the stream has given until here, empty where it gave none."""

    id: str
    name: str
    data: str


class Events:
    """The events of one stream, which is fed in pieces of any size."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._id = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that a piece completes; what the stream's end cuts short is none."""
        *lines, self._rest = _END.split(self._rest + self._decoder.decode(piece))
        for line in lines:
            if line:
                self._field(*line.partition(":")[::2])
            else:
                yield from self._event()

    def _field(self, name: str, value: str) -> None:
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value

    def _event(self) -> Iterator[Event]:
        if self._data:
            yield Event(self._id, self._name or "message", "\n".join(self._data))
        self._name, self._data = "", []
