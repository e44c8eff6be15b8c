"""The upload endpoint's contract, beside the interface of a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from pipeline.errors import Unavailable
from receiver import body as bodies
from receiver.refusal import Refusal
from tests.receiver.asgi import LINE, Headers, Kept, body_of, post, upload_app

PROBLEM = "application/problem+json"


def test_valid_lines_are_accepted_and_published_verbatim() -> None:
    kept = Kept()
    body = f' [ "{LINE}" ,\n"{LINE}" ] '.encode()
    answer = post(upload_app(kept), body, headers=[(b"idempotency-key", b"k-1"), (b"x-request-id", b"r-1")])
    assert answer.status == 202
    assert answer.json == {"message": "Logs processed", "accepted": 2, "rejected": 0, "errors": []}
    assert answer.headers["x-request-id"] == "r-1"
    ((value, headers),) = kept.records
    assert value == body
    assert dict(headers) == {
        "format": b"lines",
        "received": b"2025-06-10T10:41:40.000250Z",
        "lines": b"2",
        "request": b"r-1",
        "key": b"k-1",
    }


def test_lines_that_break_the_grammar_are_rejected_and_named_beside_those_that_do_not() -> None:
    kept = Kept()
    lines = [LINE] * 308
    for index in (0, 7, 50, 99, 150, 200, 300, 307):
        lines[index] = "bad"
    answer = post(upload_app(kept), body_of(*lines))
    assert answer.status == 202
    assert (answer.json["accepted"], answer.json["rejected"]) == (300, 8)
    assert [error["index"] for error in answer.json["errors"]] == [0, 7, 50, 99, 150, 200, 300, 307]
    assert dict(kept.records[0][1])["lines"] == b"308"
    assert "key" not in dict(kept.records[0][1])


def test_what_the_fast_form_leaves_is_judged_by_the_slow_one() -> None:
    rare = [
        LINE.replace("Z", "+02:00"),
        LINE.replace("06-10", "02-29").replace("2025", "2024"),
        LINE.replace("/products", "/\u00e9\U0001f600"),
        LINE.replace("/products", '/"\\'),
        LINE.replace("184.116.4.244", "::1"),
    ]
    answer = post(upload_app(Kept()), body_of(*rare))
    assert (answer.json["accepted"], answer.json["rejected"]) == (5, 0)


def test_the_first_hundred_errors_are_named_and_all_are_counted() -> None:
    answer = post(upload_app(Kept()), body_of(LINE, *["bad"] * 150))
    assert answer.json["rejected"] == 150
    assert [error["index"] for error in answer.json["errors"]] == list(range(1, 101))


@pytest.mark.parametrize("body", [b"[]", b" [ \n] "])
def test_an_empty_array_is_accepted_and_writes_nothing(body: bytes) -> None:
    kept = Kept()
    answer = post(upload_app(kept), body)
    assert (answer.status, answer.json["accepted"], answer.json["rejected"]) == (202, 0, 0)
    assert not kept.records


def test_no_valid_line_at_all_is_refused_and_writes_nothing() -> None:
    kept = Kept()
    answer = post(upload_app(kept), body_of("bad", "\0"))
    assert answer.status == 422
    assert answer.headers["content-type"] == PROBLEM
    assert [error["pointer"] for error in answer.json["errors"]] == ["/0", "/1"]
    assert not kept.records


@pytest.mark.parametrize(
    "line", ["\0", LINE + "\0", LINE.replace("/products", "/\0"), LINE.replace("/products", "/\n")]
)
def test_nul_and_other_controls_are_faults_of_the_line(line: str) -> None:
    answer = post(upload_app(Kept()), body_of(LINE, line))
    assert (answer.status, answer.json["rejected"]) == (202, 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"{", "array of strings"),
        (b"[", "byte 1"),
        (b'["a', "byte 1"),
        (b'["a"]]', "byte 5"),
        (b'["a",]', "byte"),
        (b'["a\nb"]', "byte 3"),
        ('["é", nope]'.encode(), "byte 7"),
        (b'["\\x"]', "byte 2"),
        (b"{}", "array of strings"),
        (b"null", "array of strings"),
        (b'"a"', "array of strings"),
        (b'["a", 3]', "element 1 must be a string"),
        (b'["a", null]', "element 1 must be a string"),
        (b'[["a"]]', "element 0 must be a string"),
        (b"[" * 1_000_000, "element 0 must be a string"),
        (b"[" + b"9" * 5000 + b"]", "element 0 must be a string"),
        (b"[1,", "byte 3: not JSON"),
        (b'["a", 3', "byte 7: not JSON"),
        (b'[1, "\xff"]', "element 0 must be a string"),
        (b"[NaN]", "byte 1"),
        (b'["\xff"]', "byte 2 is not UTF-8"),
        (b'["\xed\xa0\x80"]', "byte 2 is not UTF-8"),
        (b'["a", "\\ud800"]', "element 1 has half of a surrogate pair"),
        (b'["a", "\\ud83dx"]', "element 1 has half of a surrogate pair"),
        (b'["\\udc00\\ud800"]', "element 0 has half of a surrogate pair"),
        (b"\xef\xbb\xbf[]", "byte order mark"),
        ("[]".encode("utf-16"), "byte 0 is not UTF-8"),
        (b'["\\ud800", ' + b"[" * 100_000, ""),
    ],
)
def test_a_fault_of_the_document_refuses_it_and_says_what_and_where(body: bytes, said: str) -> None:
    kept = Kept()
    answer = post(upload_app(kept), body)
    assert answer.status == 400
    assert answer.headers["content-type"] == PROBLEM
    assert said in answer.json["detail"]
    assert answer.json["status"] == 400
    assert answer.json["instance"] == "/upload"
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert not kept.records


def test_the_limit_of_bytes_holds_to_the_byte() -> None:
    body = body_of(LINE)
    assert post(upload_app(Kept(), max_body_bytes=len(body)), body).status == 202
    assert post(upload_app(Kept(), max_body_bytes=len(body) - 1), body).status == 413


def test_a_body_without_a_length_is_not_read_far_past_the_limit() -> None:
    kept = Kept()
    answer = post(upload_app(kept, max_body_bytes=1000), *[b" " * 300] * 1000)
    assert answer.status == 413
    assert "1000 bytes" in answer.json["detail"]


def test_what_is_refused_early_is_still_taken_off_the_wire() -> None:
    """Else the client is cut off while it sends, and never reads the answer."""
    answer = post(upload_app(Kept()), *[b"x"] * 50, headers=[(b"content-type", b"text/plain")])
    assert (answer.status, answer.left) == (415, 0)


@pytest.mark.parametrize("length", [b"1001", b"9" * 10_000])
def test_a_body_that_says_it_is_too_large_is_not_read(length: bytes) -> None:
    answer = post(upload_app(Kept(), max_body_bytes=1000), headers=[(b"content-length", length)])
    assert answer.status == 413


@pytest.mark.parametrize("length", [b"-1", b"x", b"", "٣".encode()])
def test_a_length_that_is_no_number_is_refused(length: bytes) -> None:
    assert post(upload_app(Kept()), body_of(LINE), headers=[(b"content-length", length)]).status == 400


@pytest.mark.parametrize("cut", [True, False])
def test_a_body_that_ends_before_its_length_is_refused(cut: bool) -> None:
    body = body_of(LINE)
    answer = post(upload_app(Kept()), body, headers=[(b"content-length", b"%d" % (len(body) + 1))], cut=cut)
    assert answer.status == 400
    assert "ended" in answer.json["detail"]


@pytest.mark.parametrize("begun", [(), ({"type": "http.request", "body": b"[", "more_body": True},)])
def test_a_body_that_does_not_come_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, begun: tuple[dict[str, Any], ...]
) -> None:
    """Not one byte of it is waited for any longer than its second half is."""
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.05)
    monkeypatch.setattr(bodies, "DRAIN_SECONDS", 0.05)
    scope = {"type": "http", "method": "POST", "path": "/upload", "headers": [(b"content-length", b"100")]}
    coming = iter(begun)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(coming, None) or await asyncio.Future()

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(upload_app(Kept())(scope, receive, send), 10))
    assert sent[0]["status"] == 408


@pytest.mark.parametrize("line", [LINE, "bad", LINE.replace("Z", "+01:00"), "", '"', "\\"])
def test_the_limit_of_lines_holds_to_the_line(line: str) -> None:
    kept = Kept()
    assert post(upload_app(kept, max_lines=10), body_of(*[line] * 10)).status in (202, 422)
    kept.records.clear()
    assert post(upload_app(kept, max_lines=10), body_of(*[line] * 11)).status == 413
    assert not kept.records


def test_what_is_large_and_no_array_is_refused_as_that() -> None:
    answer = post(upload_app(Kept(), max_lines=10), b' {"a":' * 1_000)
    assert answer.status == 400
    assert "must be an array of strings" in answer.json["detail"]


def test_an_array_of_a_million_is_refused() -> None:
    for element in (b'""', b'"\\""', b"1"):
        body = b"[" + b",".join([element] * 1_000_000) + b"]"
        assert post(upload_app(Kept(), max_body_bytes=2**23, max_lines=100_000), body).status in (413, 400)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"sec-fetch-site", b"cross-site")], 403),
        ([(b"sec-fetch-site", b"same-origin"), (b"origin", b"http://tally:8080")], 403),
        ([(b"origin", b"https://evil.example")], 403),
        ([(b"origin", b"null")], 403),
        ([(b"sec-fetch-site", b"none")], 202),
    ],
)
def test_what_a_page_has_a_browser_send_is_refused_where_no_key_is_needed(headers: Headers, status: int) -> None:
    kept = Kept()
    answer = post(upload_app(kept), body_of(LINE), headers=[(b"host", b"tally:8080"), *headers])
    assert (answer.status, len(kept.records)) == (status, int(status == 202))


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"application/json; charset=latin-1")],
        [(b"content-type", b"application/jsonx")],
    ],
)
def test_anything_but_plain_json_is_refused(headers: Headers) -> None:
    assert post(upload_app(Kept()), body_of(LINE), headers=headers).status == 415


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"application/json")],
        [(b"content-type", b"Application/JSON; charset=UTF-8")],
        [(b"content-type", b'application/json;charset="utf-8"')],
        [(b"content-encoding", b"identity")],
    ],
)
def test_json_is_accepted_however_it_is_said(headers: Headers) -> None:
    assert post(upload_app(Kept()), body_of(LINE), headers=headers).status == 202


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"x" * 256, "é".encode(), b"a\x7f", b"a\0"])
def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    answer = post(upload_app(Kept()), body_of(LINE), headers=[(b"idempotency-key", key)])
    assert answer.status == 400
    assert "Idempotency-Key" in answer.json["detail"]


def test_a_key_may_be_255_characters_and_is_given_once() -> None:
    key = (b"idempotency-key", b"~" * 255)
    assert post(upload_app(Kept()), body_of(LINE), headers=[key]).status == 202
    assert post(upload_app(Kept()), body_of(LINE), headers=[key, key]).status == 400


@pytest.mark.parametrize("sent", [b"", b"a b", b"x" * 129, b'"', "é".encode(), b"a\nb"])
def test_a_request_id_that_is_not_sane_is_replaced(sent: bytes) -> None:
    kept = Kept()
    answer = post(upload_app(kept), body_of(LINE), headers=[(b"x-request-id", sent)])
    assert len(answer.headers["x-request-id"]) == 32
    assert dict(kept.records[0][1])["request"] == answer.headers["x-request-id"].encode()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_uploads_are_posted(method: str) -> None:
    answer = post(upload_app(Kept()), body_of(LINE), method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_an_upload_that_kafka_may_not_have_is_to_be_sent_again() -> None:
    answer = post(upload_app(Kept(failure=Unavailable("kafka", "no answer"))), body_of(LINE))
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert "kafka" in answer.json["detail"]
    assert "Idempotency-Key" in answer.json["detail"]


def test_a_record_that_kafka_never_takes_is_too_large() -> None:
    assert post(upload_app(Kept(failure=Refusal(413, "max.message.bytes"))), body_of(LINE)).status == 413


def test_an_error_of_ours_is_a_problem_and_tells_nothing() -> None:
    app = upload_app(Kept(failure=ZeroDivisionError("secret")))  # type: ignore[arg-type]
    answer = post(app, body_of(LINE))
    assert answer.status == 500
    assert b"secret" not in answer.body


def test_bytes_in_hand_are_bounded_and_given_back() -> None:
    body = body_of(LINE)
    app = upload_app(Kept(), in_hand=len(body))
    assert post(app, body).status == 202
    assert post(app, body + b" ").status == 503
    assert post(app, b"nope").status == 400
    assert post(app, body).status == 202


def test_uploads_and_lines_are_counted() -> None:
    app = upload_app(Kept())
    post(app, body_of(LINE, LINE, "bad"))
    post(app, body_of("bad"))
    post(app, b"{")
    value = app._metrics.registry.get_sample_value
    assert [value(f"pipeline_lines_{kind}_total") for kind in ("received", "accepted", "rejected")] == [3, 2, 2]
    assert [value("pipeline_uploads_total", {"status": status}) for status in ("202", "422", "400")] == [1, 1, 1]


def test_errors_are_ascii_and_bounded_whatever_was_sent() -> None:
    lines = ["\x1b[31m\u2028\U0001f600" * 10_000] * 10
    answer = post(upload_app(Kept(), max_body_bytes=2**23), json.dumps(lines, ensure_ascii=False).encode())
    assert answer.status == 422
    assert answer.body.isascii()
    assert len(answer.body) < 20_000
