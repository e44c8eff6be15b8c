"""Whatever is sent: an answer of the contract, and nothing published that was not accepted."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import LineFault
from pipeline.grammar import parse
from tests.pipeline.lines import any_lines
from tests.receiver.asgi import LINE, Kept, body_of, post, upload_app

_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(LINE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).map(lambda document: json.dumps(document).encode())
_cut_up = st.builds(
    lambda junk, at, gone: body_of(LINE, LINE)[:at] + junk + body_of(LINE, LINE)[at + gone :],
    st.binary(max_size=8),
    st.integers(0, 140),
    st.integers(0, 8),
)
_bodies = st.one_of(st.binary(max_size=200), _documents, _cut_up)
_values = st.binary(max_size=40)
_headers = st.lists(
    st.tuples(
        st.sampled_from([b"content-type", b"content-encoding", b"content-length", b"idempotency-key", b"x-request-id"]),
        st.one_of(_values, st.sampled_from([b"application/json", b"identity", b"gzip", b"zstd", b"10", b"key"])),
    ),
    max_size=3,
)


@settings(deadline=None)
@given(_bodies, _headers)
def test_no_request_makes_the_receiver_fail(body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    kept = Kept()
    answer = post(upload_app(kept), body, headers=headers)
    assert answer.status in (202, 400, 413, 415, 422)
    assert isinstance(answer.json, dict)
    assert bool(kept.records) == (answer.status == 202 and answer.json["accepted"] > 0)


@settings(deadline=None)
@given(st.lists(any_lines, max_size=5), st.booleans())
def test_lines_are_counted_as_the_grammar_says(lines: list[str], ascii_only: bool) -> None:
    kept = Kept()
    body = json.dumps(lines, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    answer = post(upload_app(kept), body)
    if any("\ud800" <= character <= "\udfff" for character in json.loads(json.dumps("".join(lines)))):
        return  # A fault of the document, or two halves that JSON's escapes have joined.
    bad = [index for index, line in enumerate(lines) if not _valid(line)]
    if lines and len(bad) == len(lines):
        assert answer.status == 422
        assert [error["pointer"] for error in answer.json["errors"]] == [f"/{index}" for index in bad]
        return
    assert (answer.json["accepted"], answer.json["rejected"]) == (len(lines) - len(bad), len(bad))
    assert [error["index"] for error in answer.json["errors"]] == bad


def _valid(line: str) -> bool:
    try:
        parse(line)
    except LineFault:
        return False
    return True
