"""A bare Flask view on the web API's server: `python -m cli.bench.bare PORT`. What a request costs at the least."""

from __future__ import annotations

import sys

from flask import Flask, Response
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from webapi.main import THREADS


def build_app() -> Flask:
    """An application of one view."""
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "bare", lambda: Response(b'{"bare":true}', content_type="application/json"))
    return app


def main(port: int) -> None:
    """Serves until SIGTERM, as `webapi.main` does."""
    Granian(
        "cli.bench.bare:build_app",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        blocking_threads=THREADS,
        log_access=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
