"""Health and metrics over HTTP, for a process that speaks no HTTP of its own."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app

from pipeline import port as ports
from pipeline.health import Check, readiness
from pipeline.problem import CONTENT_TYPE, problem

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Admin:
    """A running server of `/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, server: WSGIServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="admin", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(
    host: str, port: int, setting: str, checks: Mapping[str, Check], registry: CollectorRegistry = REGISTRY
) -> Admin:
    """Answers on `port` of `host` in threads of its own until `close()`.

    Raises ConfigurationError, naming `setting`, where it cannot listen there.
    """
    listener = type("Listener", (_Server,), {"address_family": ports.family(host)})
    try:
        server = listener((host, port), _Handler)
    except OSError as error:
        raise ports.refused(host, port, setting, error) from error
    server.set_app(build_app(checks, registry))
    return Admin(server)


def build_app(checks: Mapping[str, Check], registry: CollectorRegistry) -> Application:
    """The three pages as a WSGI application."""
    metrics: Application = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return _answer(
                start_response, "405 Method Not Allowed", problem(405, "only GET", path).body(), CONTENT_TYPE
            )
        if path == "/metrics":
            return metrics(environ, start_response)
        if path == "/healthz":
            return _answer(start_response, "200 OK", b'{"status":"ok"}')
        if path == "/readyz":
            ok, answers = readiness(checks)
            body = json.dumps({"status": "ok" if ok else "unavailable", "checks": answers}).encode()
            return _answer(start_response, "200 OK" if ok else "503 Service Unavailable", body)
        detail = "there are /healthz, /readyz and /metrics"
        return _answer(start_response, "404 Not Found", problem(404, detail, path).body(), CONTENT_TYPE)

    return app


def _answer(
    start_response: StartResponse, status: str, body: bytes, content_type: str = "application/json"
) -> Iterable[bytes]:
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response(status, headers + ([("Allow", "GET, HEAD")] if status.startswith("405") else []))
    return [body]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # Without the look-up of the host's name that http.server makes: it may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    timeout = 5

    def address_string(self) -> str:
        return str(self.client_address[0])

    def log_message(self, *_: object) -> None:
        """Says nothing: these pages are asked for every few seconds."""
