"""Hostile requests to a receiver, in great number: `python -m tests.door 200000 [SEED]`.

Bodies that are nearly an upload, or nothing like one, with encodings and headers to match, and requests that are hardly
HTTP. The receiver answers each as its contract says or hangs up, never with a 500; no process ends or grows; and
whatever was accepted is counted.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import zstandard

from tests import seed as seeds
from tests.faults.session import resident_together, session
from tests.integration.pipeline import PATIENCE, Pipeline, running_on
from tests.records import line

CLIENTS = 2
WATCHED = ("receiver", "consumer", "worker")
GROWTH_MB = 20.0
# In 20 requests one is hardly HTTP.
RAW_SHARE = 0.05
ANSWERS = {202, 400, 404, 405, 411, 413, 415, 417, 422, 431, 414, 501, 505}

DOCUMENTS = (
    *(
        b"",
        b"null",
        b"{}",
        b"[]",
        b"[[]]",
        b"0",
        b'""',
        b"[null]",
        b"[1e999]",
        b"[NaN]",
        b"[-Infinity]",
        b"[1,]",
        b"[,1]",
    ),
    *(
        b'["\\ud800"]',
        b'["\\ud800\\udc00"]',
        b'["\\u0000"]',
        b'["\x00"]',
        b'["\xff"]',
        b'["\xc0\xaf"]',
        b'["\xed\xa0\x80"]',
    ),
    *(
        b"\xef\xbb\xbf[]",
        "[]".encode("utf-16"),
        "[]".encode("utf-32"),
        b'{"a":1,"a":2}',
        b"[" * 5_000,
        b'[{"a":' * 2_000,
    ),
    *(b"[" + b"9" * 10_000 + b"]", b'["' + b"a" * 100_000 + b'"]', b"[]" * 3, b"[] x", b"'[]'", b"[\x0b]", b"/*c*/[]"),
    *(
        b'["' + b"\\" * 101,
        b"[" + b'"",' * 20_000 + b'""]',
        b"true",
        b"tru",
        b'["\\x41"]',
        b'["\t"]',
        b"[0x1]",
        b"[01]",
    ),
)
TYPES = ("application/json", "text/plain", "application/json; charset=utf-16", "*/*", "application/x-ndjson", "é", "")
ENCODINGS = ("identity", "gzip", "x-gzip", "zstd", "br", "gzip, zstd", "deflate", "")
HARDLY_HTTP = (
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /upload HTTP/9.9\r\nHost: x\r\n\r\n",
    b"POST /upload HTTP/1.1\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n[]",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]x",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n[]",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[",
    b"POST /upload HTTP/1.1\nHost: x\nContent-Length: 2\n\n[]",
    b"POST /upload HTTP/1.1\r\nHost: x\r\n folded: y\r\nContent-Length: 2\r\n\r\n[]",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\n[]",
    b"POST /upload HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 2_000 + b"\r\n",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    b"POST /" + b"u" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n[",
)


class Door:
    """One client of the receiver; every choice comes from its seed."""

    def __init__(self, pipeline: Pipeline, seed: int) -> None:
        self._pipeline = pipeline
        self._chance = Random(seed)
        host, port = pipeline.url("receiver").split(":")
        self._address = (host, int(port))
        self._connection = http.client.HTTPConnection(host, int(port), timeout=10)
        self.statuses: Counter[int] = Counter()

    def knock(self, times: int) -> None:
        """Sends so many requests. Raises AssertionError at an answer that the contract does not have."""
        for _ in range(times):
            status = self._raw() if self._chance.random() < RAW_SHARE else self._request()
            assert status in {0, *ANSWERS}, status
            self.statuses[status] += 1
        self._connection.close()

    def _request(self) -> int:
        chance = self._chance
        body = self._body()
        headers = (
            {"Content-Type": "application/json"} if chance.random() < 0.8 else {"Content-Type": chance.choice(TYPES)}
        )
        if chance.random() < 0.3:
            encoding = chance.choice(ENCODINGS)
            headers["Content-Encoding"] = encoding
            if chance.random() < 0.7:
                body = {"gzip": gzip.compress, "zstd": zstandard.compress}.get(encoding, bytes)(body)
                body = self._mangled(body) if chance.random() < 0.3 else body
        for name in ("Idempotency-Key", "X-Request-Id", "Authorization"):
            if chance.random() < 0.2:
                headers[name] = "".join(chr(chance.randrange(32, 256)) for _ in range(chance.randrange(8, 300)))
        try:
            self._connection.request(
                "POST", "/upload", body, {name: value.encode("latin-1") for name, value in headers.items()}
            )
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0
        if answer.status == 202:
            counts = json.loads(said)
            self._pipeline.expect(counts["accepted"] + counts["rejected"])
        return answer.status

    def _body(self) -> bytes:
        chance = self._chance
        kind = chance.random()
        if kind < 0.3:
            return chance.choice(DOCUMENTS)
        if kind < 0.4:
            return chance.randbytes(chance.randrange(400))
        texts: list[object] = [line(chance.choice((200, 404, 500))) for _ in range(chance.randrange(1, 4))]
        if kind < 0.6:
            texts.insert(0, chance.choice((None, 1, [], {}, "x", "\x00", "é" * 50, 1e300, True)))
        body = json.dumps(texts).encode()
        return self._mangled(body) if kind < 0.9 else body

    def _mangled(self, body: bytes) -> bytes:
        at, gone = self._chance.randrange(len(body) + 1), self._chance.randrange(9)
        return body[:at] + self._chance.randbytes(self._chance.randrange(5)) + body[at + gone :]

    def _raw(self) -> int:
        request = self._chance.choice(HARDLY_HTTP)
        if self._chance.random() < 0.5:
            request = self._mangled(request)
        with contextlib.suppress(OSError), socket.create_connection(self._address, timeout=0.2) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            head = connection.recv(64).split(b" ")
            return int(head[1]) if len(head) > 1 and head[1].isdigit() else 0
        return 0


def besiege(pipeline: Pipeline, requests: int, seed: int) -> Counter[int]:
    """Sends so many requests, then requires that all is well; returns how many of each status came (0: hung up)."""
    doors = [Door(pipeline, seed + number) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda door: door.knock(requests // CLIENTS), doors))
    pipeline.require_ready()
    pipeline.settle(at_least=True)
    return sum((door.statuses for door in doors), Counter())


def memory(pipeline: Pipeline) -> dict[str, float]:
    """The resident MB of each process that has to do with uploads, with its children."""
    return {name: resident_together(pipeline[name].pid) for name in WATCHED}


def main(requests: str = "200000", seed: str = "") -> int:
    """Starts everything and besieges it; returns an exit code."""
    number = seeds.said(seed)
    with running_on("real") as pipeline:
        besiege(pipeline, int(requests) // 10, number)
        pids = {name: session(pipeline[name].pid) for name in WATCHED}
        before, began = memory(pipeline), time.monotonic()
        statuses = besiege(pipeline, int(requests), number + CLIENTS)
        after, took = memory(pipeline), time.monotonic() - began
        print(f"{sum(statuses.values()):,} requests in {took:.0f} s: {dict(statuses.most_common())}")
        for name in WATCHED:
            print(f"{name}: {before[name]:.0f} MB before, {after[name]:.0f} MB after")
            assert after[name] - before[name] < GROWTH_MB, name
            assert pids[name] == session(pipeline[name].pid), name
        assert pipeline.upload([line(404)]).status == 202
        pipeline.settle(PATIENCE, at_least=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
