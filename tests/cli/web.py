"""Web APIs of a test: the real application on a port, or one that says what the test wants; and commands that ask."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from click.testing import CliRunner, Result
from flask import Flask
from rich.console import Console
from werkzeug.serving import WSGIRequestHandler, make_server

from cli.main import tally
from cli.table import Paper


class Asked(NamedTuple):
    """A request, as the server met it."""

    page: str
    query: dict[str, str]
    headers: Mapping[str, str]


class Reply(NamedTuple):
    """An answer: JSON, or text in pieces, after which the connection is closed."""

    content: Any = None
    status: int = 200
    pieces: Iterable[bytes] = ()
    type: str = "application/json"
    headers: Mapping[str, str] = {}


class Scripted(NamedTuple):
    """A web API that answers as it is told, and what it was asked."""

    url: str
    asked: list[Asked]


@contextlib.contextmanager
def scripted(answer: Callable[[Asked], Reply]) -> Iterator[Scripted]:
    """A server that answers each request with what `answer` returns."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked.append(Asked(parts.path, dict(parse_qsl(parts.query)), self.headers))
            reply = answer(asked[-1])
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.type)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.pieces:
                self.send_header("Connection", "close")
                self.end_headers()
                # Whoever asked may have gone.
                with contextlib.suppress(OSError):
                    for piece in reply.pieces:
                        self.wfile.write(piece)
                        self.wfile.flush()
                return
            body = json.dumps(reply.content, ensure_ascii=False, separators=(",", ":")).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    with _served(server):
        yield Scripted(f"http://127.0.0.1:{server.server_port}", asked)


@contextlib.contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of an application that is served on a port."""

    class Quiet(WSGIRequestHandler):
        def log(self, *_: object) -> None:
            """Says nothing."""

    server = make_server("127.0.0.1", 0, app, request_handler=Quiet)
    with _served(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextlib.contextmanager
def _served(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def problem(status: int, detail: str, *faults: tuple[str, str], **headers: str) -> Reply:
    """What the web API says when something is wrong."""
    errors = [{"pointer": pointer, "detail": detail} for pointer, detail in faults]
    content = {"type": "about:blank", "title": "-", "status": status, "detail": detail, "errors": errors}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(content, status, type="application/problem+json", headers=named)


def run(*arguments: str, **environment: str) -> Result:
    """`tally …` into pipes; `stdout`, `stderr` and `exit_code` are what a shell would have."""
    return CliRunner(env=environment).invoke(tally, arguments)


class Terminal(NamedTuple):
    """A terminal that a test reads."""

    paper: Paper
    file: io.StringIO

    @property
    def text(self) -> str:
        """What stands on it, escape sequences and all."""
        return self.file.getvalue()

    @property
    def lines(self) -> list[str]:
        """Its lines without the spaces at their ends."""
        return [line.rstrip() for line in self.text.splitlines()]


def terminal(width: int = 80, colour: bool = False) -> Terminal:
    """A terminal of so many columns."""
    file = io.StringIO()
    system: Any = "standard" if colour else None
    console = Console(
        file=file, force_terminal=True, width=width, color_system=system, markup=False, highlight=False, emoji=False
    )
    return Terminal(Paper(console), file)
