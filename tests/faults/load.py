"""A client as it is to be: it journals what was acknowledged, and sends again, with its key, what it is unsure of."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cli.child import wait_until
from tests.integration.pipeline import PATIENCE, Pipeline
from tests.records import line

CLIENTS = 2
LINES = 20
# Between two uploads of a client: the faults are to meet work, not a machine that has no time for them.
PAUSE = 0.1
# How long a client sends the same upload again: past the longest time that the receiver may refuse.
INSISTS = 300.0
DISCARDED = 200
STATUSES = (404, DISCARDED, 500, DISCARDED, 301)
# How an entry of the journal begins.
UPLOAD, LINE = "upload", "line"


class Acknowledged(NamedTuple):
    """What was acknowledged: the paths of lines to be stored, and how many were to be discarded and rejected."""

    stored: frozenset[str]
    discarded: int
    rejected: int

    @property
    def lines(self) -> int:
        """All lines that were acknowledged."""
        return len(self.stored) + self.discarded + self.rejected


class Journal:
    """A file of what was acknowledged, a line an upload, on the disk before it counts as that; judged by the file.

    `uploads` and `statuses` count acknowledged uploads and all answers, `cut` the requests without one; `refused` holds
    what should never be answered.
    """

    def __init__(self, directory: Path) -> None:
        """`directory` is the run's own."""
        self._path = directory / "acknowledged"
        self._path.touch(exist_ok=False)
        self._lock = threading.Lock()
        self.uploads = 0
        self.statuses: Counter[int] = Counter()
        self.cut = 0
        self.refused: list[str] = []

    def acknowledged(self, name: str) -> None:
        """Notes that the upload of that name was answered with 202."""
        self._append(f"{UPLOAD} {name}")
        with self._lock:
            self.uploads += 1

    def acknowledged_line(self, path: str) -> None:
        """Notes that an upload of one line, to be stored, was answered with 202."""
        self._append(f"{LINE} {path}")

    def read(self) -> Acknowledged:
        """All that was acknowledged until now, as the file has it."""
        stored, discarded, rejected = [], 0, 0
        with self._lock:
            entries = self._path.read_text().splitlines()
        for entry in entries:
            kind, name = entry.split(" ")
            if kind == LINE:
                stored.append(name)
                continue
            lines = _lines(name)
            stored += [path for path, status in lines if status != DISCARDED]
            discarded += sum(status == DISCARDED for _, status in lines)
            rejected += 1
        assert len(stored) == len(set(stored)), "two uploads had one name"
        return Acknowledged(frozenset(stored), discarded, rejected)

    def _append(self, entry: str) -> None:
        with self._lock, self._path.open("a") as file:
            file.write(f"{entry}\n")
            file.flush()
            os.fsync(file.fileno())


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
        pipeline.expected = journal.read().lines


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
