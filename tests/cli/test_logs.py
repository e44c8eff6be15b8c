"""`tally logs`: pages of lines, in a terminal and in a pipe."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from cli import logs
from cli.ask import WebApi
from tests.cli.web import Asked, Reply, run, scripted, terminal
from tests.servers import ROOT


def line(number: int, path: str = "/products", status: int = 500) -> dict[str, Any]:
    """A line as the contract has it."""
    return {
        "id": number,
        "Timestamp": "2026-11-23T20:06:09.843Z",
        "IP": "116.133.122.206",
        "Method": "GET",
        "Path": path,
        "Status": status,
        "LatencyMs": 1150,
        "Route": "/products",
    }


def pages(asked: Asked) -> Reply:
    """Five lines, two a page."""
    limit, first = int(asked.query.get("limit", 50)), int(asked.query.get("cursor", "after-0").removeprefix("after-"))
    data = [line(5 - at) for at in range(first, min(5, first + limit))]
    following = f"after-{first + limit}" if first + limit < 5 else None
    meta = {"total": 5, "total_is": "exact", "limit": limit, "offset": 0, "next": following}
    return Reply({"data": data, "meta": meta})


PIPED = "2026-11-23T20:06:09.843Z\t500\t1150\t116.133.122.206\tGET\t/products\n"


def test_a_page_goes_into_a_pipe_as_lines_and_what_is_left_is_said() -> None:
    with scripted(pages) as web:
        ended = run("logs", "--limit", "2", "--url", web.url)
    assert (ended.exit_code, ended.stdout) == (0, PIPED * 2)
    assert ended.stderr == "2 of 5 lines, newest first, times in UTC; --all shows every one\n"


def test_all_follows_the_cursors_and_asks_the_same_again() -> None:
    with scripted(pages) as web:
        ended = run(
            "logs", "status:500", "path:/products", "--all", "--limit", "2", "--method", "get", "--url", web.url
        )
    assert ended.stdout == PIPED * 5
    assert ended.stderr == "5 lines, newest first, times in UTC\n"
    same = {"q": "status:500 path:/products", "method": "get", "limit": "2"}
    assert [one.query for one in web.asked] == [same, same | {"cursor": "after-2"}, same | {"cursor": "after-4"}]


def test_options_become_parameters() -> None:
    options = ["--status", "404", "--route", "/a", "--ip", "::1", "--path", "b", "--min-latency", "1"]
    options += ["--max-latency", "9", "--from", "2026-11-23T20:00:00Z", "--to", "2026-11-23T21:00:00Z"]
    with scripted(pages) as web:
        assert run("logs", *options, "--url", web.url).exit_code == 0
        assert run("logs", "--range", "day", "--all", "--url", web.url, "--", "-status:404").exit_code == 0
    times = {"from": "2026-11-23T20:00:00Z", "to": "2026-11-23T21:00:00Z"}
    filters = {"status": "404", "route": "/a", "ip": "::1", "path": "b", "min_latency": "1", "max_latency": "9"}
    assert [one.query for one in web.asked] == [filters | times, {"q": "-status:404", "range": "day", "limit": "1000"}]


def test_json_is_what_the_web_api_says_a_page_a_line() -> None:
    with scripted(pages) as web:
        ended = run("logs", "--json", "--all", "--limit", "3", "--url", web.url)
    assert [json.loads(text) for text in ended.stdout.splitlines()] == [pages(one).content for one in web.asked]
    assert ended.stderr == ""


def test_lines_without_a_known_number_of_them() -> None:
    meta = {"total": 1_000, "total_is": "at_least", "next": "x"}
    with scripted(lambda _: Reply({"data": [line(1)], "meta": meta})) as web:
        assert run("logs", "--url", web.url).stderr.startswith("1 of at least 1,000 lines,")


HOSTILE = [
    "/[red]a[/red]",
    "/:smile:",
    "/\u202egnp.exe",
    "/\x1b[2J",
    "/\u05d0\u05d1",
    "/a\tb",
    "/a\nb",
    "/\x9b2J",
    "/\ud800",
]


@pytest.mark.parametrize("path", HOSTILE, ids=ascii)
def test_a_hostile_path_is_shown_and_obeyed_by_nobody(path: str) -> None:
    screen = terminal(200)
    content = {"data": [line(1, path)], "meta": {"total": 1}}
    # As a server would have to send what JSON cannot say otherwise.
    body = json.dumps(content).encode()
    with scripted(lambda _: Reply(pieces=[body])) as web:
        assert logs.run(WebApi(web.url), {}, False, False, screen.paper) == 0
        piped = run("logs", "--url", web.url).stdout
        as_json = run("logs", "--json", "--url", web.url).stdout
    shown = screen.lines[0].partition("GET")[2].strip()
    assert len(screen.lines) == 1
    assert shown.isprintable()
    assert piped.rstrip("\n").split("\t")[5:] == [shown]
    assert as_json.rstrip("\n").isprintable()
    assert json.loads(as_json) == content
    if path.isprintable():
        assert shown == path


def test_a_long_line_is_one_line_for_whoever_copies_it() -> None:
    screen = terminal(40)
    with scripted(lambda _: Reply({"data": [line(1, "/" + "x" * 2047)], "meta": {"total": 1}})) as web:
        logs.run(WebApi(web.url), {}, False, False, screen.paper)
    assert len(screen.lines) == 1
    assert screen.text.count("x") == 2047


def test_times_stand_below_one_another_however_exact_they_are() -> None:
    screen = terminal(120)
    exact = ("2026-11-23T20:06:09Z", "2026-11-23T20:06:09.8Z", "2026-11-23T20:06:09.843217Z")
    data = [line(1) | {"Timestamp": time} for time in exact]
    with scripted(lambda _: Reply({"data": data, "meta": {"total": 3}})) as web:
        logs.run(WebApi(web.url), {}, False, False, screen.paper)
    assert [one[:24] for one in screen.lines] == [f"2026-11-23T20:06:09.{ms}Z" for ms in ("000", "800", "843")]


def test_the_statuses_are_coloured_by_their_class() -> None:
    screen = terminal(120, colour=True)
    data = [line(1, status=status) for status in (200, 404, 500)]
    with scripted(lambda _: Reply({"data": data, "meta": {"total": 3}})) as web:
        logs.run(WebApi(web.url), {}, False, False, screen.paper)
    assert [seen in text for seen, text in zip(("32m200", "33m404", "31m500"), screen.lines, strict=True)] == [True] * 3


@pytest.mark.parametrize("no_colour", [False, True])
def test_a_real_terminal_has_colours_unless_nobody_wants_them(no_colour: bool) -> None:
    with scripted(pages) as web:
        shown = on_a_terminal("logs", "--url", web.url, **({"NO_COLOR": "1"} if no_colour else {}))
    assert ("\x1b[" not in shown) == no_colour
    assert "116.133.122.206" in shown


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What `tally …` writes to stdout where that is a terminal."""
    ours, theirs = pty.openpty()
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    argv = [sys.executable, "-m", "cli.main", *arguments]
    ended = subprocess.run(argv, stdout=theirs, stderr=subprocess.DEVNULL, env=known | environment, timeout=30)
    os.close(theirs)
    with os.fdopen(ours, "rb") as screen:
        assert ended.returncode == 0
        return screen.read1(65536).decode()
