"""A client as it is to be: it journals what was acknowledged, and sends again, with its key, what it is unsure of."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cli.child import wait_until
from tests.integration.pipeline import PATIENCE, Pipeline
from tests.records import line

CLIENTS = 2
LINES = 20
# Between two uploads of a client: the faults are to meet work, not a machine that has no time for them.
PAUSE = 0.1
# How long a client sends the same upload again: past the longest time that the receiver may refuse.
INSISTS = 300.0
STATUSES = (404, 200, 500, 200, 301)


@dataclass
class Journal:
    """What was acknowledged: the paths of lines to be stored, how many were to be discarded and rejected.

    `statuses` counts the answers, `cut` the requests without one, `refused` holds what should never be answered.
    """

    stored: set[str] = field(default_factory=set)
    discarded: int = 0
    rejected: int = 0
    uploads: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    refused: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def lines(self) -> int:
        """All lines that were acknowledged."""
        return len(self.stored) + self.discarded + self.rejected

    def acknowledged(self, name: str) -> None:
        """Notes that the upload of that name was answered with 202."""
        with self.lock:
            self.uploads += 1
            for path, status in _lines(name):
                if status == 200:
                    self.discarded += 1
                else:
                    self.stored.add(path)
            self.rejected += 1


@contextmanager
def load(pipeline: Pipeline, journal: Journal, name: str) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Clients that upload all the while; at the end each insists until its last upload is acknowledged.

    Yields what has them rest, between two uploads.
    """
    stop, turns = threading.Event(), [threading.Lock() for _ in range(CLIENTS)]

    def client(number: int) -> None:
        uploads = 0
        while not stop.is_set():
            with turns[number]:
                _insist(pipeline, journal, f"{name}/{number}/{uploads}")
            uploads += 1
            stop.wait(PAUSE)

    @contextmanager
    def resting() -> Iterator[None]:
        with ExitStack() as stack:
            for turn in turns:
                stack.enter_context(turn)
            yield

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield resting
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        pipeline.expected = journal.lines


def more(journal: Journal, uploads: int = 20) -> bool:
    """Whether so many more uploads are acknowledged, soon: there is load, and it gets through."""
    wanted = journal.uploads + uploads
    return wait_until(lambda: journal.uploads >= wanted, PATIENCE)


def _lines(name: str) -> list[tuple[str, int]]:
    """The path and the status of each valid line of an upload: no other upload has one of these paths."""
    return [(f"/load/{name}/{number}", STATUSES[number % len(STATUSES)]) for number in range(LINES)]


def _insist(pipeline: Pipeline, journal: Journal, name: str) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    texts = [line(status, path, time=now) for path, status in _lines(name)]
    body = json.dumps([*texts, "this is no line"]).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": name}
    deadline = time.monotonic() + INSISTS
    while time.monotonic() < deadline:
        try:
            status = pipeline.ask("receiver", "/upload", body, headers).status
        except (OSError, http.client.HTTPException):
            journal.cut += 1
            time.sleep(0.1)
            continue
        journal.statuses[status] += 1
        if status == 202:
            return journal.acknowledged(name)
        if status != 503:
            journal.refused.append(f"{name}: {status}")
            return None
        time.sleep(0.1)
    journal.refused.append(f"{name}: never acknowledged")
    return None
