"""Kafka records as the tests make them, without a broker, and hypothesis strategies for any of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

from pipeline import uploads

# 2025-06-10T10:41:40Z, in ms.
TIME_MS = 1_749_552_100_000

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class Rec:
    """What is used of a record (`pipeline.batch.Record`)."""

    offset: int
    value: bytes | None
    headers: Headers = ()
    timestamp: int = TIME_MS


def counted(offset: int, lines: int) -> Rec:
    """A record that says it has so many lines, and could."""
    return Rec(offset, b" " * lines, (("lines", str(lines).encode()),))


def line(
    status: int = 404,
    path: str = "/products",
    ip: str = "184.116.4.244",
    time: str = "2025-06-10T10:41:40Z",
    method: str = "GET",
    latency: int = 971,
) -> str:
    """A valid line."""
    return f"{time} {ip} {method} {path} {status} {latency}ms"


def upload(offset: int, lines: Sequence[object], key: str | None = None, declared: int | None = -1) -> Rec:
    """A record as the receiver writes it: `declared` is what its header says, by default the truth, None for none."""
    headers: Headers = ()
    if declared is not None:
        headers += (("lines", str(len(lines) if declared == -1 else declared).encode()),)
    if key is not None:
        headers += (("key", key.encode()),)
    return Rec(offset, json.dumps(lines).encode(), headers)


def shared(offset: int, *sent: tuple[Sequence[object], str | None]) -> Rec:
    """A record that the receiver has put several uploads into: the lines of each, and its key."""
    bodies = [json.dumps(lines).encode() for lines, _ in sent]
    received = datetime.fromtimestamp(TIME_MS / 1000, UTC)
    made = [
        uploads.Upload(len(lines), len(body), received, "r", key)
        for (lines, key), body in zip(sent, bodies, strict=True)
    ]
    value, beside = uploads.record(made, bodies)
    return Rec(offset, value, tuple(beside))


headers = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(["lines", "key", "format", "api_key", "uploads"]), st.text(max_size=5)),
        st.one_of(st.none(), st.binary(max_size=6), st.integers(-3, 10**10).map(lambda n: str(n).encode())),
    ),
    max_size=3,
).map(tuple)

_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=6,
)
values = st.one_of(
    st.none(),
    st.binary(max_size=30),
    _json.map(lambda document: json.dumps(document).encode()),
    st.sampled_from(
        [b"", b"[]", b"[", b'["\xff"]', b'["\\ud800"]', b"[" * 5_000, b"[1e999]", b'["a"] x', b"\xef\xbb\xbf[]"]
    ),
)
bodies = st.builds(Rec, offset=st.just(0), value=values, headers=headers)
