"""Compressed bodies (RFC 9110, Content-Encoding): gzip and zstd, never more of them than is allowed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

import zstandard

from receiver.refusal import Refusal, too_large

# Bytes at a time: of the tightest bomb these become 16 MiB (zstd: four bytes for 128 KiB), which is the most that is
# ever written past the limit.
_STEP: Final = 512
# Members of gzip, frames of zstd: empty ones cost time, and no client has a reason for more.
_PARTS: Final = 1_000
# What a frame may look back for: what RFC 8878 has every decoder support.
_WINDOW: Final = 8 * 1024 * 1024


class _Part(Protocol):
    """A member or a frame that is being read."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_Begin = Callable[[], _Part]
"""Begins one body's next member or frame."""


def _members() -> _Begin:
    return partial(zlib.decompressobj, wbits=16 + zlib.MAX_WBITS)


def _frames() -> _Begin:
    # One decompressor a body: its frames share a context, and two bodies that did would both be broken.
    return zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj


_PARTS_OF: Final[Mapping[str, Callable[[], _Begin]]] = {"gzip": _members, "x-gzip": _members, "zstd": _frames}


def decoded(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """What `body` is without its encoding, one of `declared.ENCODINGS`.

    Raises Refusal: 413 past `max_bytes`, 400 for what is not whole or not of that encoding.
    """
    if encoding == "identity":
        return body
    try:
        return _decoded(body, _PARTS_OF[encoding](), max_bytes)
    except (zlib.error, zstandard.ZstdError) as error:
        raise Refusal(400, f"the body is not {encoding}: {error}") from None


def _decoded(body: bytes, begin: _Begin, max_bytes: int) -> bytes:
    part, parts, length = begin(), 1, 0
    pieces: list[bytes] = []
    for start in range(0, len(body), _STEP):
        piece = body[start : start + _STEP]
        while piece:
            if part.eof:
                part, parts = begin(), parts + 1
            if parts > _PARTS:
                raise Refusal(400, f"the body is compressed in more than {_PARTS} parts")
            pieces.append(part.decompress(piece))
            length += len(pieces[-1])
            if length > max_bytes:
                raise too_large(max_bytes)
            piece = part.unused_data if part.eof else b""
    if not part.eof:
        raise Refusal(400, "the compressed body ends too early")
    return b"".join(pieces)
