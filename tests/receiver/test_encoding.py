"""Compressed uploads: kept as what they are without it, whole or not at all, and never large."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.child import Child
from receiver.encoding import decoded
from receiver.refusal import Refusal
from tests.receiver import wire
from tests.receiver.asgi import LINE, Kept, body_of, post, upload_app
from tests.servers import Backend

Launch = Callable[..., Child]
MIB = 1024 * 1024
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
each = pytest.mark.parametrize("encoding", COMPRESS)


def status(encoded: bytes, encoding: str, max_bytes: int = MIB) -> int:
    """What an upload of such a body is answered with."""
    try:
        decoded(encoded, encoding, max_bytes)
    except Refusal as refusal:
        return refusal.status
    return 202


@each
def test_a_record_is_the_body_as_it_was_before_it_was_compressed(encoding: str) -> None:
    kept, body = Kept(), body_of(*[LINE] * 1000, "bad")
    headers = [(b"content-encoding", encoding.upper().encode())]
    answer = post(upload_app(kept, max_lines=2000), COMPRESS[encoding](body), headers=headers)
    assert (answer.status, answer.json["accepted"], answer.json["rejected"]) == (202, 1000, 1)
    assert [value for value, _ in kept.records] == [body]


@each
@settings(deadline=None)
@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4))
def test_parts_are_one_body(encoding: str, parts: list[bytes]) -> None:
    whole = b"".join(parts)
    encoded = b"".join(map(COMPRESS[encoding], parts))
    assert decoded(encoded, encoding, len(whole)) == whole
    if whole:
        assert status(encoded, encoding, len(whole) - 1) == 413


@each
def test_bodies_that_are_read_at_the_same_time_do_not_mix(encoding: str) -> None:
    bodies = [body_of(*[f"{LINE} {number}{n**5}" for n in range(20_000)]) for number in range(4)]
    encoded = [COMPRESS[encoding](body) for body in bodies]
    with ThreadPoolExecutor(len(bodies)) as pool:
        for _ in range(5):
            assert list(pool.map(lambda one: decoded(one, encoding, 8 * MIB), encoded)) == bodies


@each
def test_a_body_that_is_not_whole_is_refused(encoding: str) -> None:
    encoded = COMPRESS[encoding](body_of(*[f"{LINE} {n**5}" for n in range(300)]))
    assert len(encoded) > 600
    for end in range(len(encoded)):
        assert status(encoded[:end], encoding) == 400
    assert status(encoded, encoding) == 202
    assert status(encoded + encoded[:7], encoding) == 400
    assert status(encoded + b"junk", encoding) == 400
    assert status(b"", encoding) == 400


@each
@given(st.binary(max_size=200), st.integers(0, 400), st.binary(max_size=4))
def test_whatever_is_sent_is_refused_or_understood(encoding: str, junk: bytes, at: int, spoilt: bytes) -> None:
    encoded = COMPRESS[encoding](body_of(LINE, LINE))
    for body in (junk, encoded[:at] + spoilt + encoded[at + len(spoilt) :]):
        assert status(body, encoding) in (202, 400, 413)


def test_what_was_changed_on_the_way_is_refused() -> None:
    encoded = bytearray(gzip.compress(body_of(*[LINE] * 10)))
    encoded[-5] ^= 1
    assert status(bytes(encoded), "gzip") == 400
    frame = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(body_of(*[LINE] * 10)))
    frame[-1] ^= 1
    assert status(bytes(frame), "zstd") == 400


def test_a_window_larger_than_any_body_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    assert status(stream.compress(b"x" * 10) + stream.flush(), "zstd") == 400


@each
def test_a_body_in_more_than_a_thousand_parts_is_refused(encoding: str) -> None:
    assert status(COMPRESS[encoding](b"") * 1000, encoding) == 202
    assert status(COMPRESS[encoding](b"") * 1001, encoding) == 400


@pytest.mark.parametrize(
    "encoding", [b"br", b"gzip, gzip", b"identity, gzip", b"deflate", b"gzip;q=1", b"\xff", b"zst"]
)
def test_another_encoding_is_refused_with_those_that_are_known(encoding: bytes) -> None:
    answer = post(upload_app(Kept()), gzip.compress(body_of(LINE)), headers=[(b"content-encoding", encoding)])
    assert (answer.status, answer.headers["accept-encoding"]) == (415, "identity, gzip, x-gzip, zstd")


@each
def test_the_bytes_in_hand_are_those_of_the_plain_body(encoding: str) -> None:
    body = body_of(*[LINE] * 900)
    encoded, headers = COMPRESS[encoding](body), [(b"content-encoding", encoding.encode())]
    app = upload_app(Kept(), in_hand=len(body))
    assert post(app, encoded, headers=headers).status == 503
    app = upload_app(Kept(), in_hand=len(body) + len(encoded))
    assert [post(app, encoded, headers=headers).status for _ in range(2)] == [202, 202]


@pytest.mark.any_servers
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_of_gigabytes_is_refused_and_takes_no_memory(launch: Launch, backend: Backend, encoding: str) -> None:
    environment = backend.environment()
    wire.make_topic(environment)
    receiver = launch("receiver", environment)
    wire.require_ready(environment)
    bombs = [COMPRESS[encoding](bytes(64 * MIB)) * 100, COMPRESS[encoding](bytes(512 * MIB))]
    small = COMPRESS[encoding](json.dumps([LINE]).encode())
    assert wire.post(environment, small, {"Content-Encoding": encoding})[0] == 202
    before = peak(receiver.pid)
    for bomb in bombs * 3:
        assert len(bomb) < 8 * MIB
        status, answer, _ = wire.post(environment, bomb, {"Content-Encoding": encoding})
        assert (status, "MAX_BODY_BYTES" in answer["detail"]) == (413, True)
    assert peak(receiver.pid) - before < 50 * MIB
    assert wire.post(environment, small, {"Content-Encoding": encoding})[0] == 202


@pytest.mark.any_servers
def test_a_broken_document_that_was_small_is_refused_at_once_and_takes_no_memory(
    launch: Launch, backend: Backend
) -> None:
    environment = backend.environment()
    wire.make_topic(environment)
    receiver = launch("receiver", environment)
    wire.require_ready(environment)
    assert wire.post(environment, body_of(LINE))[0] == 202
    before = peak(receiver.pid)
    for beginning in (b'["\\ud800"', b"[NaN", b'["\\x"'):
        broken = beginning + b",[]" * (8 * MIB // 3 - 10) + b"]"
        status, answer, seconds = wire.post(environment, COMPRESS["zstd"](broken), {"Content-Encoding": "zstd"})
        assert (status, "JSON" in answer["detail"]) == (400, True)
        assert seconds < 2
    assert peak(receiver.pid) - before < 50 * MIB


def peak(session: int) -> int:
    """The most memory, in bytes, that any process of a session has had."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = (status.parent / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                found.append(int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) * 1024)
        except (OSError, IndexError):
            continue
    return max(found)
