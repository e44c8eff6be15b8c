"""A process's log is a JSON object a line, whatever a client or a library says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FORGED = '{"event": "forged"}'
HOSTILE = [
    f"a\n{FORGED}",
    f"a\r\n{FORGED}\r",
    "\x1b[2J\x1b]0;title\x07\x1b[31mred",
    "".join(map(chr, range(32))) + "\x7f",
    "".join(map(chr, range(0x80, 0xA0))),
    "\u2028\u2029\x0b\x0c\x1c\x85",
    "\ud800",
    '"}\n' + FORGED,
]
LOGGING = """
import json, logging, sys, warnings
import structlog
from pipeline.logging import configure

configure("receiver", "INFO")
log = structlog.get_logger("a.module")
for said in json.loads(sys.argv[1]):
    log.warning("odd", said=said)
    log.warning(said)
    log.warning("a key", **{said: 1})
    log.warning("bytes", said=said.encode(errors="surrogatepass"))
    logging.getLogger("granian").error("refused %s", said)
    warnings.warn(said)
    try:
        raise ValueError(said)
    except ValueError:
        log.exception("failed")
"""


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """What a process says that is told all of it, in every way there is to log."""
    argv = [sys.executable, "-c", LOGGING, json.dumps(HOSTILE)]
    done = subprocess.run(argv, capture_output=True, check=True, timeout=60)
    assert done.stdout == b""
    return done.stderr.removesuffix(b"\n").split(b"\n")


def test_each_call_is_one_line_of_printable_ascii(lines: list[bytes]) -> None:
    assert len(lines) == 7 * len(HOSTILE)
    assert all(0x20 <= byte < 0x7F for line in lines for byte in line)


def test_each_line_is_an_object_that_says_whose_it_is_and_none_is_forged(lines: list[bytes]) -> None:
    said = [json.loads(line) for line in lines]
    assert {one["process"] for one in said} == {"receiver"}
    assert {one["level"] for one in said} == {"warning", "error"}
    assert "forged" not in {one["event"] for one in said}


def test_what_was_said_is_there_as_it_was_said(lines: list[bytes]) -> None:
    said = [json.loads(line) for line in lines]
    assert [one["said"] for one in said if one["event"] == "odd"] == HOSTILE
    assert [one["event"] for one in said if one["event"].startswith("refused")] == [f"refused {one}" for one in HOSTILE]


@pytest.mark.parametrize(
    "loaded",
    [
        "cli.main, receiver.wiring",
        "cli.main, consumer.main",
        "tasks.main",
        "cli.main, scheduler.main",
        "cli.main, webapi.wiring",
    ],
)
def test_a_process_is_not_made_larger_by_what_a_log_would_need_for_colours(loaded: str) -> None:
    look = f"import sys, {loaded}; print(*{{'rich', 'greenlet', 'structlog'}} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, check=True, text=True)
    assert said.stdout.split() == ["structlog"]
