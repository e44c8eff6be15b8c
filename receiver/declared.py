"""What an upload's HTTP headers say about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from pipeline import request_id as rule
from receiver.refusal import Refusal, too_large

ENCODINGS: Final = ("identity", "gzip", "x-gzip", "zstd")
KEY_PATTERN: Final = "^[!-~]{1,255}$"

_KEY = re.compile(KEY_PATTERN.encode())
_JSON = re.compile(rb'application/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?(?:;[ \t]*)?', re.IGNORECASE)
_ONCE: Final = {
    b"host": "Host",
    b"transfer-encoding": "Transfer-Encoding",
    b"content-type": "Content-Type",
    b"content-encoding": "Content-Encoding",
    b"content-length": "Content-Length",
    b"idempotency-key": "Idempotency-Key",
    b"origin": "Origin",
    b"sec-fetch-site": "Sec-Fetch-Site",
}

RawHeaders = Iterable[tuple[bytes, bytes]]


class Declared(msgspec.Struct, frozen=True, gc=False):
    """The headers that matter: `key` is the client's Idempotency-Key, `length` the body's in bytes if it was said.

    `encoding` is the body's, one of ENCODINGS; the length is that of the encoded one.
    """

    key: str | None
    length: int | None
    encoding: str


def read(headers: RawHeaders, max_bytes: int, is_open: bool = False) -> Declared:
    """Reads an upload's headers (names in lower case).

    Raises Refusal: 400 for a header that makes no sense or is repeated, 403 for what a page has a browser send where
    the door `is_open` to who has no key, 413 for a body that says it is too large, 415 for anything but JSON in UTF-8,
    plain or in one of ENCODINGS. Without a content type the body is taken for JSON.
    """
    said: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _ONCE:
            if name in said:
                raise Refusal(400, f"the header {_ONCE[name]} is repeated")
            said[name] = value
    if is_open and _is_of_a_page(said):
        raise Refusal(403, "where no API keys are required, this is for who is no page in a browser")
    if said.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
        # The server takes the body out of its last coding, and leaves the others.
        raise Refusal(400, "the only Transfer-Encoding that is understood is chunked")
    content_type = said.get(b"content-type")
    if content_type is not None and not _JSON.fullmatch(content_type):
        raise Refusal(415, "the content type must be application/json", ((b"accept-post", b"application/json"),))
    encoding = said.get(b"content-encoding", b"").lower().decode("latin-1") or "identity"
    if encoding not in ENCODINGS:
        known = ", ".join(ENCODINGS)
        raise Refusal(415, f"the body may be encoded as {known}", ((b"accept-encoding", known.encode()),))
    key = said.get(b"idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Refusal(400, "the Idempotency-Key must be 1 to 255 visible ASCII characters")
    return Declared(
        key=None if key is None else key.decode(),
        length=_length(said.get(b"content-length"), max_bytes),
        encoding=encoding,
    )


def request_id(headers: RawHeaders) -> bytes:
    """What the request is called, as `pipeline.request_id` has it."""
    said = next((value for name, value in headers if name == b"x-request-id"), b"")
    return rule.request_id(said.decode("latin-1")).encode()


def authorization(headers: RawHeaders) -> str:
    """The Authorization header; empty where there is none, or more than one."""
    found = [value for name, value in headers if name == b"authorization"]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def _is_of_a_page(said: Mapping[bytes, bytes]) -> bool:
    """Whether a browser sends it for a page: it says so, and adds no key by itself.

    No page is ours here, and browsers let any page send what has no content type, also to whom a name was made to lead
    (DNS rebinding).
    """
    return b"origin" in said or said.get(b"sec-fetch-site", b"none") != b"none"


def _length(text: bytes | None, max_bytes: int) -> int | None:
    if text is None:
        return None
    if not text.isdigit():
        raise Refusal(400, "the Content-Length is not a number")
    # Compared by its digits first: Python refuses to read very long numbers.
    if len(text.lstrip(b"0")) > 18 or int(text) > max_bytes:
        raise too_large(max_bytes)
    return int(text)
