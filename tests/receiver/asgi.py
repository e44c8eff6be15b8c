"""Driving an ASGI application without a server, and a publisher that remembers instead of sending."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline import batch, uploads
from pipeline.errors import TallyError
from receiver.budget import Budget
from receiver.metrics import Metrics
from receiver.upload import Endpoint

LINE = "2025-06-10T10:41:40Z 184.116.4.244 POST /products 500 971ms"
NOW = datetime(2025, 6, 10, 10, 41, 40, 250, tzinfo=UTC)
Headers = list[tuple[bytes, bytes]]


@dataclass
class Answer:
    """What the application said, and how many messages of the request it `left` unread."""

    status: int
    headers: dict[str, str]
    body: bytes
    left: int

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass
class Kept:
    """A publisher that keeps a record of each upload, and which might share one, or fails with `failure`."""

    records: list[tuple[bytes, batch.Headers]] = field(default_factory=list)
    sharing: list[bool] = field(default_factory=list)
    failure: TallyError | None = None

    async def publish(self, upload: uploads.Upload, body: bytes, sharing: bool) -> None:
        """Keeps a record."""
        if self.failure:
            raise self.failure
        self.records.append(uploads.record([upload], [body]))
        self.sharing.append(sharing)


def upload_app(
    kept: Kept, *, max_body_bytes: int = 1024 * 1024, max_lines: int = 1000, in_hand: int = 2**26
) -> Endpoint:
    """The endpoint with small limits and a clock that stands still."""
    budget = Budget(in_hand)
    return Endpoint(kept.publish, budget, Metrics(budget), lambda: NOW, max_body_bytes, max_lines)


def post(
    app: Endpoint,
    *chunks: bytes,
    headers: Headers | None = None,
    method: str = "POST",
    cut: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> Answer:
    """Sends one request, its body in `chunks`; with `cut` the connection ends after them.

    Before each of them comes, `meanwhile` is called.
    """
    scope = {"type": "http", "method": method, "path": "/upload", "headers": headers or []}
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False})
    sent: list[MutableMapping[str, Any]] = []
    pending = iter(messages)

    async def receive() -> MutableMapping[str, Any]:
        meanwhile()
        return next(pending)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, body = sent
    return Answer(
        start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, body["body"], len(list(pending))
    )


def body_of(*lines: object) -> bytes:
    """A JSON array."""
    return json.dumps(lines).encode()
