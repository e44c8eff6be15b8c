"""Questions to a web API that is well, ill, away, or something else altogether."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import ask, ports
from cli.inert import inert
from tests.cli.web import Reply, problem, run, scripted

COMMANDS = (["ledger"], ["stats"], ["stats", "--series", "requests"], ["stats", "--top", "route"], ["logs"], ["tail"])
EMPTY = {"data": [], "meta": {"total": 0, "next": None}}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_question_that_is_not_understood_ends_with_2_and_each_fault_is_told_once(command: list[str]) -> None:
    said = problem(400, "from: expected a time", ("from", "expected a time"), ("to", "expected another"))
    with scripted(lambda _: said) as web:
        ended = run(*command, "--url", web.url)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == f"tally {command[0]}: from: expected a time\nto: expected another\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_web_api_that_is_away_ends_with_69_and_is_named(command: list[str]) -> None:
    url = f"http://127.0.0.1:{ports.free(1)[0]}"
    ended = run(*command, "--url", url)
    assert (ended.exit_code, ended.stdout) == (69, "")
    assert f"no web API answers at {url}: Connection refused" in ended.stderr
    assert "`tally up`" in ended.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_is_away_ends_with_69_and_is_named(command: list[str]) -> None:
    detail = "the database does not answer now; ask again in a moment"
    with scripted(lambda _: problem(503, detail, Retry_After="2")) as web:
        ended = run(*command, "--url", web.url)
    assert (ended.exit_code, ended.stderr) == (69, f"tally {command[0]}: {web.url}: {detail}\n")


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (problem(500, "this is a fault of ours"), 1, "a fault of ours"),
        (problem(404, "nothing is here"), 1, "nothing is here"),
        (problem(422, "no valid line"), 2, "no valid line"),
        (Reply("<h1>hello</h1>", type="text/html"), 1, "not as a web API of Tally's"),
        (Reply("<h1>bad gateway</h1>", 502, type="text/html"), 69, "answered 502"),
        (Reply(["a problem that is none"], 400), 2, "answered 400"),
        (Reply("", 302, headers={"Location": "http://127.0.0.1:1/"}), 1, "answered 302"),
        (Reply(["no object"]), 1, "another version"),
        (Reply({"meta": {}}), 1, "it has no data and meta"),
        (Reply(pieces=[b"{"]), 1, "not JSON"),
    ],
)
def test_what_else_may_answer_is_told_without_a_traceback(reply: Reply, code: int, words: str) -> None:
    with scripted(lambda _: reply) as web:
        ended = run("logs", "--url", web.url)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert words in ended.stderr
    assert ended.stderr.startswith("tally logs: ")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "no web API answers"),
        (b"220 mail.example ESMTP\r\n", "no web API answers"),
        (b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"data"', "in the middle"),
    ],
)
def test_a_server_of_another_kind_or_that_dies_is_away(sent: bytes, words: str) -> None:
    with bare(sent) as url:
        ended = run("logs", "--url", url)
    assert ended.exit_code == 69
    assert words in ended.stderr


def test_a_server_that_says_nothing_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ended = run("logs", "--url", f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert ended.exit_code == 69
    assert "no answer in time" in ended.stderr


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8081", "ftp://x", "http://", "http://x:port", "http://[::1", "http://u:p@x", "http://x/?a=1", "x"],
)
def test_what_is_no_address_ends_with_2(url: str) -> None:
    ended = run("logs", "--url", url)
    assert ended.exit_code == 2
    assert ended.stderr.startswith("tally logs: ")


def test_the_address_is_that_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with scripted(lambda _: Reply(EMPTY)) as web:
        port = web.url.rpartition(":")[2]
        assert run("logs", WEBAPI_HOST="0.0.0.0", WEBAPI_PORT=port).exit_code == 0
        assert run("logs", "--url", f"{web.url}/below/", WEBAPI_PORT="none").exit_code == 0
    assert [one.page for one in web.asked] == ["/logs", "/below/logs"]
    refused = run("logs", WEBAPI_PORT="none")
    assert refused.exit_code == 78
    assert "WEBAPI_PORT" in refused.stderr


def test_the_key_is_that_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("tally_two\n")
    with scripted(lambda _: Reply(EMPTY)) as web:
        run("logs", "--url", web.url, API_KEY="tally_one")
        run("logs", "--url", web.url, API_KEY_FILE=str(tmp_path / "key"))
        run("logs", "--url", web.url)
    assert [one.headers.get("Authorization") for one in web.asked] == ["Bearer tally_one", "Bearer tally_two", None]


def test_a_key_that_no_header_can_have_is_refused_and_not_repeated() -> None:
    with scripted(lambda _: Reply(EMPTY)) as web:
        ended = run("logs", "--url", web.url, API_KEY="hunter2\r")
    assert (ended.exit_code, web.asked) == (78, [])
    assert "API_KEY" in ended.stderr
    assert "hunter" not in ended.output


def test_a_key_that_is_missing_is_said_to_be_a_setting() -> None:
    with scripted(lambda _: problem(401, "a key is needed")) as web:
        ended = run("logs", "--url", web.url)
    assert (ended.exit_code, ended.stderr) == (1, "tally logs: a key is needed\nAPI_KEY is the key that is sent\n")


def test_what_a_server_says_cannot_command_a_terminal() -> None:
    with scripted(lambda _: problem(400, "no\x1b[2J\r\n\u202ehidden", ("q\x9b1m", "\x07"))) as web:
        ended = run("logs", "--url", web.url)
    assert ended.stderr == "tally logs: no\\u001b[2J\\u000d\\u000a\\u202ehidden\nq\\u009b1m: \\u0007\n"


@given(st.text(st.characters()))
def test_what_is_inert_prints_and_means_the_same_as_json(text: str) -> None:
    assert inert(text).isprintable()
    assert json.loads(inert(json.dumps(text, ensure_ascii=False))) == text


@contextlib.contextmanager
def bare(sent: bytes) -> Iterator[str]:
    """A port that sends bytes to whoever comes first, whatever they ask, and hangs up."""

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(sent)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
