"""A bare Flask view on the web API's server: `python -m cli.bench.bare PORT`. What a request costs at the least."""

from __future__ import annotations

import sys

from flask import Flask, Response
from granian.constants import Interfaces
from granian.log import LogLevels

from pipeline import web_server
from webapi.main import THREADS


def build_app() -> Flask:
    """An application of one view."""
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "bare", lambda: Response(b'{"bare":true}', content_type="application/json"))
    return app


def main(port: int) -> int:
    """Serves until SIGTERM, as `webapi.main` does; returns the exit code."""
    return web_server.serve(
        "cli.bench.bare:build_app",
        "127.0.0.1",
        port,
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        log_level=LogLevels.error,
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
