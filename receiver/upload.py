"""`POST /upload`: a body goes to Kafka, in a record, and 202 is said when Kafka has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from pipeline import uploads
from pipeline.errors import Denied, DocumentFault, Unavailable
from pipeline.keyring import INGEST, SCHEME, Keyring, Uses
from pipeline.problem import CONTENT_TYPE, Fault, problem
from receiver import declared
from receiver.body import Body, Receive
from receiver.budget import Budget, Hold
from receiver.declared import Declared
from receiver.encoding import decoded
from receiver.metrics import Metrics
from receiver.refusal import Headers, Refusal, try_again
from receiver.verdict import LineError, Verdict, at_once, line_by_line

log = structlog.get_logger(__name__)

Publish = Callable[[uploads.Upload, bytes, bool], Awaitable[None]]
"""As `Publisher.publish`: hands an upload to Kafka and returns once Kafka has it."""

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# A body that is larger is decompressed, and looked at line by line, in a thread: other uploads go on meanwhile.
SMALL_BYTES: Final = 64 * 1024

_encode = msgspec.json.Encoder().encode


class Accepted(msgspec.Struct, frozen=True):
    """The body of a 202, as the contract has it."""

    message: str
    accepted: int
    rejected: int
    errors: tuple[LineError, ...]


class Answer(msgspec.Struct, frozen=True):
    """What goes out."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: Headers = ()


class Endpoint:
    """The endpoint, as a plain ASGI application."""

    def __init__(
        self,
        publish: Publish,
        budget: Budget,
        metrics: Metrics,
        now: Callable[[], datetime],
        max_body_bytes: int,
        max_lines: int,
        keyring: Keyring | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """`now` is the server's time, aware and in UTC; with a `keyring`, uploads need a key of it; `loop` is the one
        that it is called on, as `Deadline` has it."""
        self._publish = publish
        self._budget = budget
        self._metrics = metrics
        self._now = now
        self._max_body_bytes = max_body_bytes
        self._max_lines = max_lines
        self._keyring = keyring
        self._loop = loop

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request."""
        began = time.perf_counter()
        request = declared.request_id(scope["headers"])
        incoming = Body(receive, self._loop)
        api_key, uses = None, Uses()
        try:
            if self._keyring is not None:
                api_key = self._keyring.admit(declared.authorization(scope["headers"]), INGEST)
            accepted = await self._take(scope, incoming, request, api_key)
            answer = Answer(202, _encode(accepted))
            uses = Uses(uploads=1, lines=accepted.accepted + accepted.rejected)
        except Exception as error:
            answer = _refused(error, scope["path"], request)
            uses = Uses(refusals=int(answer.status < 500))
        await _respond(send, answer, request)
        self._metrics.answered(answer.status, time.perf_counter() - began)
        if self._keyring is not None and api_key is not None:
            self._keyring.used(api_key, uses)
        await incoming.drain()

    async def _take(
        self, scope: MutableMapping[str, Any], incoming: Body, request: bytes, api_key: str | None
    ) -> Accepted:
        """Judges and publishes the upload; returns the 202's content.

        Raises Refusal, DocumentFault, Denied, Unavailable.
        """
        if scope["method"] != "POST":
            raise Refusal(405, "uploads are sent with POST", ((b"allow", b"POST"),))
        said = declared.read(scope["headers"], self._max_body_bytes, is_open=self._keyring is None)
        with self._budget.hold() as hold:
            body = await self._read(said, incoming, hold)
            verdict = await self._judge(body)
            self._require_staying(api_key)
            if verdict.accepted:
                lines = verdict.accepted + verdict.rejected
                upload = uploads.Upload(lines, len(body), self._now(), request.decode(), said.key, api_key)
                await self._publish(upload, body, verdict.can_share)
        if verdict.rejected and not verdict.accepted:
            self._metrics.rejected.inc(verdict.rejected)
            errors = tuple(Fault(f"/{error.index}", error.detail) for error in verdict.errors)
            raise Refusal(422, f"no line is valid: {verdict.rejected} were rejected", errors=errors)
        self._metrics.kept(verdict.accepted, verdict.rejected)
        return Accepted("Logs processed", verdict.accepted, verdict.rejected, verdict.errors)

    def _require_staying(self, api_key: str | None) -> None:
        """Raises Denied where the key was revoked since it was admitted: a body may take half a minute to come."""
        if self._keyring is not None and api_key is not None and not self._keyring.holds(api_key, INGEST):
            raise Denied(401, "this key was revoked while the upload came")

    async def _read(self, said: Declared, incoming: Body, hold: Hold) -> bytes:
        body = await incoming.read(said.length, self._max_body_bytes, hold)
        if said.encoding == "identity":
            return body
        work = partial(decoded, body, said.encoding, self._max_body_bytes)
        plain = work() if len(body) <= SMALL_BYTES else await asyncio.to_thread(work)
        hold.take(len(plain))
        return plain

    async def _judge(self, body: bytes) -> Verdict:
        if (verdict := at_once(body, self._max_lines)) is not None:
            return verdict
        if len(body) <= SMALL_BYTES:
            return line_by_line(body, self._max_lines)
        return await asyncio.to_thread(line_by_line, body, self._max_lines)


def _refused(error: Exception, path: str, request: bytes) -> Answer:
    """The problem that an upload which failed is answered with; keeps no reference to `error`, which has the body."""
    refusal = _refusal(error)
    said = problem(refusal.status, refusal.detail, path, request_id=request.decode(), errors=refusal.errors)
    return Answer(refusal.status, said.body(), CONTENT_TYPE.encode(), refusal.headers)


def _refusal(error: Exception) -> Refusal:
    """What an upload that failed is answered with."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, DocumentFault):
        return Refusal(400, str(error))
    if isinstance(error, Denied):
        return Refusal(error.status, error.detail, _of_denied(error))
    if isinstance(error, Unavailable):
        return try_again(str(error))
    log.error("an upload failed unexpectedly", exc_info=error)
    return Refusal(500, "something went wrong here, and was logged; whether the upload counts is unknown")


def _of_denied(error: Denied) -> Headers:
    if error.status == 401:
        return ((b"www-authenticate", SCHEME.encode()),)
    return ((b"retry-after", b"%d" % error.retry_after),) if error.retry_after else ()


async def _respond(send: Send, answer: Answer, request: bytes) -> None:
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-request-id", request),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
