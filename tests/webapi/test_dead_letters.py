"""`/dead-letters`: what could not be stored, as it was kept."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from pipeline.models import DeadLetter, Stream
from pipeline.storage import Store
from webapi import dead_letters
from webapi.answers.dead_letters import DeadLetterAnswer, DeadLettersAnswer

NOW = datetime(2026, 3, 3, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def stream(store: Store) -> int:
    """The number of a stream."""
    row = {"cluster_id": "c", "topic": "raw-logs", "topic_id": "t", "state": "live"}
    return int(store.write(lambda: Stream.insert(**row).execute()))


def bury(store: Store, stream: int, *letters: dict[str, Any]) -> None:
    """Keeps letters, each a second younger than the one before."""
    plain = {
        "stream": stream,
        "part": 1,
        "offset": 7,
        "line_index": 3,
        "reason": "time",
        "detail": "d",
        "payload": b"x",
    }
    rows = [
        plain | {"created_at": (NOW + timedelta(seconds=number)).replace(tzinfo=None)} | letter
        for number, letter in enumerate(letters)
    ]
    store.write(lambda: DeadLetter.insert_many(rows).execute())


def test_a_letter_says_what_came_why_and_where_it_stood(api: FlaskClient, store: Store, stream: int) -> None:
    bury(store, stream, {"detail": "expected a time", "payload": "é \x00 line".encode()})
    answer = api.get("/dead-letters").json
    (letter,) = answer["data"]
    assert answer["meta"] == {"total": 1, "total_is": "exact", "by_reason": {"time": 1}, "limit": 50, "next": None}
    assert letter == {
        "id": letter["id"],
        "created_at": "2026-03-03T12:00:30Z",
        "reason": "time",
        "detail": "expected a time",
        "topic": "raw-logs",
        "partition": 1,
        "offset": 7,
        "line": 3,
        "bytes": 9,
        "text": "é \x00 line",
        "is_whole": True,
        "retried_at": None,
    }
    msgspec.convert(answer, DeadLettersAnswer)
    alone = api.get(f"/dead-letters/{letter['id']}").json
    assert alone["data"] == letter | {"payload": base64.b64encode("é \x00 line".encode()).decode()}
    msgspec.convert(alone, DeadLetterAnswer)


def test_pages_follow_one_another(api: FlaskClient, store: Store, stream: int) -> None:
    bury(store, stream, *({"offset": number, "reason": ("time", "path")[number % 2]} for number in range(25)))
    page, seen = "/dead-letters?limit=4&reason=time", []
    while page:
        answer = api.get(page)
        assert answer.json["meta"]["by_reason"] == {"time": 13}
        seen += [letter["offset"] for letter in answer.json["data"]]
        page = answer.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert seen == list(range(24, -1, -2))
    assert api.get("/dead-letters").json["meta"]["by_reason"] == {"time": 13, "path": 12}


def test_of_a_time(api: FlaskClient, store: Store, stream: int) -> None:
    bury(store, stream, *({"offset": number} for number in range(10)))
    answer = api.get("/dead-letters?from=2026-03-03T12:00:32Z&to=2026-03-03T13:00:34%2B01:00").json
    assert [letter["offset"] for letter in answer["data"]] == [4, 3, 2]
    assert answer["meta"]["total"] == 3


def test_a_long_letter_is_cut_in_a_list_and_whole_by_itself(api: FlaskClient, store: Store, stream: int) -> None:
    payloads = [b"x" * 65_535, "é".encode() * dead_letters.SHOWN, "\U0001f600".encode() * 20_000, b"\xff" * 9_000]
    bury(store, stream, *({"payload": payload} for payload in payloads))
    letters = api.get("/dead-letters").json["data"][::-1]
    assert [letter["bytes"] for letter in letters] == [len(payload) for payload in payloads]
    assert [len(letter["text"]) for letter in letters] == [dead_letters.SHOWN] * 4
    assert [letter["is_whole"] for letter in letters] == [False, True, False, False]
    for letter, payload in zip(letters, payloads, strict=True):
        alone = api.get(f"/dead-letters/{letter['id']}").json["data"]
        assert base64.b64decode(alone["payload"]) == payload
        assert alone["text"] == payload.decode(errors="replace")
        assert alone["is_whole"]
        assert alone["text"].startswith(letter["text"])


def test_a_stream_that_nobody_knows_hides_no_letter(api: FlaskClient, store: Store) -> None:
    bury(store, 99, {"line_index": None})
    (letter,) = api.get("/dead-letters").json["data"]
    assert (letter["topic"], letter["line"]) == (None, None)


def test_past_some_number_it_is_said_that_there_are_more(
    api: FlaskClient, store: Store, stream: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(store, stream, *({} for _ in range(12)))
    monkeypatch.setattr(dead_letters, "COUNTED", 10)
    meta = api.get("/dead-letters?limit=5").json["meta"]
    assert (meta["total"], meta["total_is"]) == (10, "at_least")


@pytest.mark.parametrize("query", ["reason=A", "reason=a-b", "before=0", "before=x", "limit=201", "from=1", "offset=1"])
def test_what_makes_no_sense_is_named(refusing: FlaskClient, query: str) -> None:
    answer = refusing.get(f"/dead-letters?{query}")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("number", ["0", "007", "x", "-1", str(2**63), "1"])
def test_a_letter_that_is_not_there_is_not_found(api: FlaskClient, number: str) -> None:
    assert api.get(f"/dead-letters/{number}").status_code == 404
