"""`tally tail`: lines as they are stored, until Ctrl-C."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from cli.ask import AwayError, Query, WebApi, understood
from cli.events import Event, Events
from cli.logs import COLUMNS, row
from cli.table import Paper

# Seconds without a byte after which a stream is dead: there are heartbeats.
SILENCE: Final = 60.0
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0


def run(web: WebApi, query: Query, as_json: bool, paper: Paper, sleep: Callable[[float], None] = time.sleep) -> int:
    """Follows the stream, and connects again where it ends; returns when it is interrupted.

    Raises AwayError where the first connection fails, and QuestionError or AnswerError at any time.
    """
    with suppress(KeyboardInterrupt):
        _Tail(web, query, as_json, paper, sleep).run()
    return 0


class _Tail:
    """One run: what was seen last, and how long to wait before the next try."""

    def __init__(self, web: WebApi, query: Query, as_json: bool, paper: Paper, sleep: Callable[[float], None]) -> None:
        self._web = web
        self._query = query
        self._as_json = as_json
        self._paper = paper
        self._sleep = sleep
        self._last: str | None = None
        self._pause = FIRST_PAUSE
        self._connected = False

    def run(self) -> None:
        while True:
            after = 0.0
            try:
                self._follow()
                why = "the stream ended"
            except AwayError as error:
                if not self._connected:
                    raise
                why, after = str(error).partition("\n")[0], error.after
            pause = max(min(after, LONGEST_PAUSE), self._pause)
            self._paper.say(f"{why}; connecting again in {pause:.0f} s")
            self._sleep(pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _follow(self) -> None:
        """Reads one connection to its end."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self._last} if self._last else {})
        with self._web.open("/logs/tail", self._query, SILENCE, headers) as answer:
            self._paper.say("connected again" if self._connected else "following; Ctrl-C ends it; times in UTC")
            self._connected = True
            events = Events()
            try:
                while read := answer.read1(65536):
                    for event in events.feed(read):
                        self._tell(event)
            except (OSError, http.client.HTTPException) as error:
                raise AwayError(f"the stream broke: {str(error) or type(error).__name__}") from None

    def _tell(self, event: Event) -> None:
        if event.id:
            self._last = event.id
        if event.name == "dropped":
            dropped = understood(event.data.encode(), "dropped")["dropped"]
            self._paper.say(
                f"{dropped} lines were dropped here: they came faster than they were read; `tally logs` has them"
            )
        elif event.name == "line":
            # The stream lives: what comes next is another outage.
            self._pause = FIRST_PAUSE
            line = understood(event.data.encode(), "Timestamp", "Status", "Path")
            if self._as_json:
                self._paper.json(event.data.encode())
            else:
                self._paper.lines([row(line)], COLUMNS)
