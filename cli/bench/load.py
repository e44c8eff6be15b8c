"""The load: a process of its own that posts uploads over many connections and counts what was acknowledged.

A client as it is to be: what is refused for now, or not answered, goes again with its key.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import deque
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import msgspec
import uvloop

from pipeline import process

# Different bodies that are sent in turn, of so many lines together; each has its own Idempotency-Key every time.
BODIES, BODIES_LINES = 200, 200_000
# Uploads a second, at the most, that have a line by which the row can be found; its status is no other line's.
MARKS, MARK_STATUS = 100, 418
# Answers after which the same upload goes again, when they say.
AGAIN = (429, 503)
_METHODS, _METHOD_WEIGHTS = ("GET", "POST", "PUT", "DELETE"), (80, 15, 3, 2)
ROUTES = ("/", "/products", "/products/{}", "/cart", "/api/v1/users/{}", "/api/v1/orders/{}", "/search?q={}")


class Plan(msgspec.Struct, frozen=True):
    """What to send: `rate` uploads a second, or with 0 as fast as they are answered, for `seconds`.

    Of each upload's lines a share of `kept` is no 200, and a share of `bad` is no line.
    """

    url: str
    lines: int
    connections: int
    seconds: float
    kept: float = 0.3
    rate: float = 0.0
    seed: int = 1
    bad: float = 0.0


class Sent(msgspec.Struct):
    """What was acknowledged: uploads, lines, those of them to be stored, bytes of bodies, and each 202's milliseconds.

    These are counted from when an upload was due, so that one that had to wait for others, or was refused for now,
    counts as slow. `refused` are answers that ask to send again, `failed` all others that are no 202. `marked` holds,
    for some of paced uploads, the number in each one's `/visible/NUMBER` path and when it was acknowledged; that and
    `began` and `ended`, the last answer, are `time.monotonic()`, which is one clock for all processes. `cpu_seconds` is
    what sending took.
    """

    uploads: int = 0
    lines: int = 0
    stored: int = 0
    bytes: int = 0
    refused: int = 0
    failed: int = 0
    began: float = 0.0
    ended: float = 0.0
    cpu_seconds: float = 0.0
    milliseconds: list[float] = []
    marked: list[tuple[int, float]] = []


def body(chance: random.Random, plan: Plan, now: datetime) -> tuple[bytes, int]:
    """A JSON array of lines of now, and how many of them are to be stored: the first, where there are any."""
    # Of a single line, say, three in ten bodies have one.
    stored = int(plan.lines * plan.kept + chance.random())
    statuses = [chance.choice((404, 500)) for _ in range(stored)] + [200] * (plan.lines - stored)
    rest = statuses[1:]
    chance.shuffle(rest)
    statuses[1:] = rest
    lines = []
    for status in statuses:
        # A few thousand visitors make most of the requests.
        visitor = int(chance.paretovariate(0.6)) % 2**24
        address = f"10.{visitor >> 16 & 255}.{visitor >> 8 & 255}.{visitor & 255}"
        method = chance.choices(_METHODS, _METHOD_WEIGHTS)[0]
        path = chance.choice(ROUTES).format(chance.randrange(10_000))
        lines.append(
            f"{now:%Y-%m-%dT%H:%M:%SZ} {address} {method} {path} {status} {int(chance.lognormvariate(4, 1))}ms"
        )
    for number in chance.sample(range(1, plan.lines), round(plan.lines * plan.bad)):
        lines[number] = lines[number].replace("/", "", 1)
        stored -= statuses[number] != 200
    return msgspec.json.encode(lines), stored


def marked(content: bytes, number: int) -> bytes:
    """A body with another first line: one that is to be stored, and can be found by its number."""
    time, rest = content[2:22], content[content.index(b'"', 2) :]
    return b'["%b 10.0.0.1 GET /visible/%d %d 1ms%b' % (time, number, MARK_STATUS, rest)


class _Upload(NamedTuple):
    """A request as it goes out, again where need be, with its key; `due` is `time.perf_counter()`, `size` its body's.

    Its `stored` and `mark` are as `Sent` has them.
    """

    request: bytes
    due: float
    size: int
    stored: int
    mark: int | None


class _Connection(asyncio.Protocol):
    """One keep-alive connection: the next upload goes when the last one's answer has come."""

    def __init__(self, load: Load, upload: _Upload | None = None) -> None:
        """`upload` goes first."""
        self._load = load
        self._upload = upload
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        if self._upload is None:
            self._load.free(self)
        else:
            self.send(self._upload)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._transport = None
        self._load.lost(self, self._upload)

    def send(self, upload: _Upload) -> None:
        self._upload = upload
        if self._transport is not None:
            self._transport.write(upload.request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(_header(head, b"content-length"))
        if len(rest) < length:
            return
        self._received.clear()
        assert self._upload is not None
        upload, status = self._upload, int(head[9:12])
        self._load.answered(status, upload)
        if status in AGAIN:
            pause = float(_header(head, b"retry-after"))
            asyncio.get_running_loop().call_later(pause, self.send, upload)
        else:
            self._upload = None
            self._load.free(self)


def _header(head: bytearray, name: bytes) -> bytes:
    return bytes(head.lower().partition(name + b":")[2].split(b"\r\n")[0])


class Load:
    """Sends a plan's uploads and keeps the count."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._numbers = count()
        self._run = f"{plan.seed}-{time.time_ns()}"
        self._end = 0.0
        # First in, first out: one left unused is closed by the server.
        self._idle: deque[_Connection] = deque()
        bodies = max(2, min(BODIES, BODIES_LINES // plan.lines))
        self._bodies = [body(self._chance, plan, datetime.now(UTC)) for _ in range(bodies)]
        self._target = urlsplit(plan.url)
        self._connecting: set[asyncio.Task[None]] = set()
        self.sent = Sent()

    async def run(self) -> Sent:
        """Sends until the time is over and every answer has come."""
        before = time.process_time()
        self.sent.began = time.monotonic()
        self._end = time.perf_counter() + self._plan.seconds
        for _ in range(self._plan.connections):
            await self._connect()
        if self._plan.rate:
            await self._pace()
        while time.perf_counter() < self._end or len(self._idle) < self._plan.connections:
            await asyncio.sleep(0.05)
            if time.perf_counter() > self._end + 30:
                raise TimeoutError("answers are missing 30 s after the last upload")
        self.sent.cpu_seconds = time.process_time() - before
        return self.sent

    async def _connect(self, upload: _Upload | None = None) -> None:
        loop, target = asyncio.get_running_loop(), self._target
        await loop.create_connection(lambda: _Connection(self, upload), target.hostname or "", target.port or 80)

    async def _pace(self) -> None:
        start = time.perf_counter()
        apart = max(1, round(self._plan.rate / MARKS))
        for number in count():
            due = start + number / self._plan.rate
            if max(due, time.perf_counter()) >= self._end:
                return
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            while not self._idle:
                await asyncio.sleep(0.001)
                if time.perf_counter() >= self._end:
                    return
            content, stored = self._bodies[number % len(self._bodies)]
            if number % apart:
                self._send(self._idle.popleft(), due, content, stored)
            else:
                self._send(self._idle.popleft(), due, marked(content, number), max(stored, 1), number)

    def free(self, connection: _Connection) -> None:
        """Takes back a connection that waits for nothing."""
        if self._plan.rate or time.perf_counter() >= self._end:
            self._idle.append(connection)
        else:
            self._send(connection, time.perf_counter(), *self._bodies[next(self._numbers) % len(self._bodies)])

    def lost(self, connection: _Connection, upload: _Upload | None) -> None:
        """Opens another connection for one that ended; what was not answered goes again, with its key."""
        if upload is None:
            self._idle.remove(connection)
        task = asyncio.get_running_loop().create_task(self._connect(upload))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def _send(self, connection: _Connection, due: float, content: bytes, stored: int, mark: int | None = None) -> None:
        head = (
            f"POST {self._target.path} HTTP/1.1\r\nHost: {self._target.netloc}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {self._run}-{next(self._numbers)}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        connection.send(_Upload(head.encode() + content, due, len(content), stored, mark))

    def answered(self, status: int, upload: _Upload) -> None:
        """Counts an answer."""
        self.sent.ended = time.monotonic()
        if status in AGAIN:
            self.sent.refused += 1
        elif status != 202:
            self.sent.failed += 1
        else:
            self.sent.uploads += 1
            self.sent.lines += self._plan.lines
            self.sent.stored += upload.stored
            self.sent.bytes += upload.size
            self.sent.milliseconds.append(max(0.0, time.perf_counter() - upload.due) * 1000)
            if upload.mark is not None:
                self.sent.marked.append((upload.mark, self.sent.ended))


def main() -> None:
    """Reads a plan from stdin, sends it, and writes what was sent to stdout, as JSON."""
    process.end_with_parent()
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    load = Load(plan)
    sent = uvloop.run(load.run())
    # With PYTHONUNBUFFERED, sys.stdout.buffer would write what fits into the pipe and leave it at that.
    with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
        stdout.write(msgspec.json.encode(sent))


if __name__ == "__main__":
    main()
