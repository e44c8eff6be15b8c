"""Asks one URL over many connections, from a process of its own: `python -m cli.bench.asking URL CONNECTIONS SECONDS`.

Prints how many answers with status 200 came a second; fails at any other.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from urllib.parse import urlsplit

import uvloop

CONNECTIONS = 16


def rate(url: str, seconds: float) -> float:
    """Answers a second, asked for by another process."""
    argv = [sys.executable, "-m", "cli.bench.asking", url, str(CONNECTIONS), str(seconds)]
    return float(subprocess.run(argv, capture_output=True, check=True).stdout)


async def _ask(url: str, until: float) -> int:
    target = urlsplit(url)
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    request = f"GET {target.path}?{target.query} HTTP/1.1\r\nHost: {target.netloc}\r\n\r\n".encode()
    answers = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if head[9:12] != b"200":
            raise RuntimeError(head.decode(errors="replace"))
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
        answers += 1
    writer.close()
    return answers


async def _main(url: str, connections: int, seconds: float) -> float:
    start = time.perf_counter()
    asked = await asyncio.gather(*(_ask(url, start + seconds) for _ in range(connections)))
    return sum(asked) / (time.perf_counter() - start)


if __name__ == "__main__":
    sys.stdout.write(str(uvloop.run(_main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
