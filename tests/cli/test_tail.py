"""`tally tail`: a stream of lines that breaks, drops and comes back."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from cli import ports, tail
from cli.ask import AnswerError, AwayError, QuestionError, WebApi
from tests.cli.test_logs import line
from tests.cli.web import Asked, Reply, problem, scripted, terminal
from tests.servers import ROOT


def event(number: int) -> bytes:
    """A line of the stream."""
    return f"id: {number}\nevent: line\ndata: {json.dumps(line(number, f'/{number}'))}\n\n".encode()


def stream(*pieces: bytes) -> Reply:
    """A stream that ends after its pieces."""
    return Reply(pieces=[b": heartbeat\n\n", *pieces], type="text/event-stream")


class Sleeps:
    """Pauses that take no time; the last is when somebody presses Ctrl-C."""

    def __init__(self, most: int) -> None:
        self.taken: list[float] = []
        self._most = most

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) == self._most:
            raise KeyboardInterrupt


def test_a_broken_stream_is_taken_up_after_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    # Given a stream that breaks in the middle of its third line, and another that goes on from the second,
    replies = [stream(event(1), event(2), event(3)[:20]), stream(event(3))]
    sleeps, screen = Sleeps(2), terminal(200)
    with scripted(lambda _: replies.pop(0)) as web:
        # when it is followed until somebody has enough,
        assert tail.run(WebApi(web.url), {"q": "status:5xx"}, False, screen.paper, sleeps) == 0
    # then every line is there once, and what happened is said elsewhere.
    assert [text.split()[-1] for text in screen.lines] == ["/1", "/2", "/3"]
    assert [one.headers.get("Last-Event-ID") for one in web.asked] == [None, "2"]
    assert [one.query for one in web.asked] == [{"q": "status:5xx"}] * 2
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "following; Ctrl-C ends it; times in UTC",
        "the stream ended; connecting again in 1 s",
        "connected again",
        "the stream ended; connecting again in 1 s",
    ]
    assert said.out == ""


def test_pauses_double_up_to_a_limit_until_a_line_comes() -> None:
    replies = itertools.chain([stream()] * 7, [stream(event(1))], itertools.repeat(stream()))
    sleeps = Sleeps(9)
    with scripted(lambda _: next(replies)) as web:
        tail.run(WebApi(web.url), {}, False, terminal().paper, sleeps)
    assert sleeps.taken == [1, 2, 4, 8, 16, 30, 30, 1, 2]


def test_a_web_api_that_goes_away_is_waited_for_as_long_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    away = [problem(503, "the database does not answer now", Retry_After=after) for after in ("9", "never", "86400")]
    replies = [stream(event(1)), *away, stream(event(2))]
    sleeps, screen = Sleeps(5), terminal(200)
    with scripted(lambda _: replies.pop(0)) as web:
        tail.run(WebApi(web.url), {}, False, screen.paper, sleeps)
    assert sleeps.taken == [1, 9, 4, 30, 1]
    assert len(screen.lines) == 2
    assert "the database does not answer now; connecting again in 9 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (problem(400, "q: no such field"), QuestionError),
        (problem(500, "a fault of ours"), AnswerError),
        (Reply("<p>", type="text/html"), AnswerError),
    ],
)
def test_a_question_that_is_refused_later_is_not_asked_for_ever(reply: Reply, error: type[Exception]) -> None:
    replies = [stream(), reply]
    with scripted(lambda _: replies.pop(0)) as web, pytest.raises(error):
        tail.run(WebApi(web.url), {}, False, terminal().paper, Sleeps(9))


def test_what_was_never_there_is_not_waited_for() -> None:
    with pytest.raises(AwayError):
        tail.run(WebApi(f"http://127.0.0.1:{ports.free(1)[0]}"), {}, False, terminal().paper, Sleeps(9))


def test_a_stream_that_falls_silent_is_dead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tail, "SILENCE", 0.2)

    def silent() -> Iterator[bytes]:
        yield event(1)
        time.sleep(2)

    with scripted(lambda _: Reply(pieces=silent(), type="text/event-stream")) as web:
        tail.run(WebApi(web.url), {}, False, terminal().paper, Sleeps(1))
    assert "the stream broke: timed out; connecting again in 1 s" in capsys.readouterr().err


def test_what_was_dropped_is_said_and_not_among_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    dropped = b'event: dropped\ndata: {"dropped": 12}\n\n'
    other = b"event: news\ndata: x\n\n"
    screen = terminal(200)
    with scripted(lambda _: stream(event(1), dropped, other, event(2))) as web:
        tail.run(WebApi(web.url), {}, False, screen.paper, Sleeps(1))
    assert "12 lines were dropped here" in capsys.readouterr().err
    assert len(screen.lines) == 2


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_ends_it_with_0_and_each_line_is_there_at_once(as_json: bool) -> None:
    def endless() -> Iterator[bytes]:
        yield event(1)
        for _ in range(300):
            time.sleep(0.1)
            yield b": heartbeat\n\n"

    def answer(_: Asked) -> Reply:
        return Reply(pieces=endless(), type="text/event-stream")

    with scripted(answer) as web:
        argv = [sys.executable, "-m", "cli.main", "tail", "--url", web.url, *(["--json"] if as_json else [])]
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, text=True
        ) as process:
            assert process.stdout
            first = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert (json.loads(first)["Path"] if as_json else first.rstrip("\n").split("\t")[-1]) == "/1"
    assert out == ""
    assert err == "following; Ctrl-C ends it; times in UTC\n"
