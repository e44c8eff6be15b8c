"""An upload is sent until it is known to count, always under its one key."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from pipeline.errors import ConfigurationError
from pipeline.pace import Pace
from pipeline.sender import Counts, Sender, Upload
from pipeline.traffic import Traffic

COUNTED = {"message": "Logs processed", "accepted": 2, "rejected": 1, "errors": []}


@dataclass
class Receiver:
    """A server that answers as it is told to, then 202, and writes down what it was sent."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]] | None] = field(default_factory=list)  # None: hang up
    received: list[tuple[str, Any]] = field(default_factory=list)  # key, body
    connections: set[Any] = field(default_factory=set)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.received.append((self.headers["Idempotency-Key"], json.loads(body)))
            told.connections.add(self.client_address)
            answer = told.answers.pop(0) if told.answers else (202, {})
            if answer is None:
                self.close_connection = True
                return
            content = json.dumps(COUNTED).encode()
            self.send_response(answer[0])
            for name, value in {**answer[1], "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/upload?x=1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_upload_is_sent_once_and_counted(receiver: Receiver) -> None:
    sender, upload = Sender(receiver.url), Upload.of(["a", "b", "c"])
    assert sender.attempt(upload) == 0
    assert sender.attempt(Upload.of(["d"])) == 0
    sender.close()
    assert receiver.received[0] == (upload.key, ["a", "b", "c"])
    assert receiver.received[1][0] != upload.key
    assert len(receiver.connections) == 1
    assert sender.counts == Counts(uploads=2, sent=4, accepted=4, rejected=2)


def test_what_is_unsure_is_sent_again_under_the_same_key_after_growing_pauses(receiver: Receiver) -> None:
    receiver.answers = [(503, {}), (429, {}), None, (502, {"Retry-After": "7"}), (504, {"Retry-After": "soon"})]
    sender, upload = Sender(receiver.url), Upload.of(["a", "b", "c"])
    with capture_logs():
        pauses = [sender.attempt(upload) for _ in range(6)]
    sender.close()
    assert pauses == [0.2, 0.4, 0.8, 7.0, 3.2, 0.0]
    assert {key for key, _ in receiver.received} == {upload.key}
    assert sender.counts == Counts(uploads=1, sent=3, accepted=2, rejected=1, retries=5)
    assert sender.problem is None


def test_a_receiver_that_is_away_is_waited_for() -> None:
    sender = Sender("http://127.0.0.1:1/upload")
    with capture_logs():
        assert [sender.attempt(Upload.of(["a"])) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert "refused" in str(sender.problem)


def test_what_is_refused_is_not_sent_again(receiver: Receiver) -> None:
    receiver.answers = [(422, {})]
    sender = Sender(receiver.url)
    with capture_logs() as logs:
        assert sender.attempt(Upload.of(["a", "b"])) == 0
    sender.close()
    assert sender.counts == Counts(uploads=1, sent=2, refused=2)
    assert logs[0]["event"] == "refused"
    assert "422" in str(sender.problem)


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8080", "ftp://host/upload", "http://host:port/upload", "http:///upload", "ftp://u:hunter2@host/"],
)
def test_a_target_that_makes_no_sense_names_its_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="TARGET_API_URL") as refused:
        Sender(url)
    assert "hunter" not in str(refused.value)


def test_uploads_keep_their_pace_and_do_not_make_up_for_a_long_silence(receiver: Receiver) -> None:
    now = [0.0]
    sender = Sender(receiver.url)
    traffic = Traffic(Random(1), 0.2, 0.2)
    pace = Pace(traffic, sender, 3, 2.0, lambda: now[0], lambda: datetime(2026, 3, 3, tzinfo=UTC))

    def sent_by(at: float) -> int:
        now[0] = at
        while pace.step():
            pass
        return len(receiver.received)

    with capture_logs():
        assert [sent_by(0.0), sent_by(0.4), sent_by(0.5), sent_by(1.6)] == [1, 1, 2, 4]
        before = sent_by(2.0)
        assert sent_by(100.0) - before <= 4
    sender.close()
    assert {len(body) for _, body in receiver.received} == {3}
