"""The commands that ask, against the real web API: what they print is what was sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.integration.pipeline import PATIENCE, Pipeline
from tests.records import line
from tests.servers import ROOT

DAY = "2026-01-15"
FROM, TO = f"{DAY}T00:00:00Z", f"{DAY}T23:59:59.999999Z"


def tally(pipeline: Pipeline, *arguments: str) -> str:
    """What a command prints."""
    argv = [sys.executable, "-m", "cli.main", *arguments, "--url", f"http://{pipeline.url('webapi')}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(pipeline: Pipeline, *arguments: str) -> Any:
    """The API's answer, as a command passes it on."""
    return json.loads(tally(pipeline, *arguments, "--json", "--from", FROM, "--to", TO))


def test_the_commands_tell_what_was_sent(pipeline: Pipeline) -> None:
    sent = [
        line(404, f"/terminal/{number}", "10.9.8.7", f"{DAY}T10:{number % 60:02}:00Z", "DELETE", number)
        for number in range(2_345)
    ]
    assert pipeline.upload(sent, key="terminal").status == 202
    pipeline.settle()

    summary = said(pipeline, "stats", "summary", "--method", "DELETE")
    assert (summary["data"]["requests"], summary["data"]["errors"]) == (2_345, 2_345)
    points = said(pipeline, "stats", "--series", "requests", "--step", "1h", "--route", "/terminal/{id}")["data"]
    assert [(point["time"], point["requests"]) for point in points if point["requests"]] == [
        (f"{DAY}T10:00:00Z", 2_345)
    ]
    assert len(points) == 24
    (top,) = said(pipeline, "stats", "--top", "route", "--method", "DELETE")["data"]
    assert (top["key"], top["requests"], top["share"]) == ("/terminal/{id}", 2_345, 1)

    every = tally(pipeline, "logs", "ip:10.9.8.0/24 status:404", "--all", "--from", FROM, "--to", TO).splitlines()
    assert len(every) == 2_345
    assert len({row.split("\t")[-1] for row in every}) == 2_345
    assert "yes" in tally(pipeline, "ledger")
