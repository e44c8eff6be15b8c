"""Runs schemathesis against receiver and web API over embedded servers with lines in them: `python -m tests.fuzz 600`.

All of its checks but two: what an API's document allows and our grammar refuses (or the other way round: an empty
parameter is absent) is for our own tests to judge. The seed is printed; given as a second argument, it is used again.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests import seed as seeds
from tests.integration.pipeline import Pipeline, running_on
from tests.records import line

_STATUSES = (100, 201, 301, 404, 404, 418, 500, 503)
# A stream ends when its reader goes, and schemathesis reads to the end.
_ENDLESS = "/logs/tail"


def fill(pipeline: Pipeline, lines: int = 2_000) -> None:
    """Uploads lines of the last days, and waits until they are counted."""
    now = datetime.now(UTC)
    every = [
        line(
            status=_STATUSES[number % len(_STATUSES)],
            path=f"/products/{number % 50}" if number % 3 else "/é?q=1",
            ip=f"10.0.{number % 7}.{number % 250}" if number % 5 else f"2001:db8::{number % 99:x}",
            time=f"{now - timedelta(minutes=2 * number):%Y-%m-%dT%H:%M:%SZ}",
            method=("GET", "POST", "PURGE")[number % 3],
            latency=number * 7 % 3_000,
        )
        for number in range(lines)
    ]
    assert pipeline.upload(every).status == 202
    pipeline.settle()


def fuzz(url: str, seconds: int, seed: int) -> int:
    """Runs schemathesis against the API whose document is at /openapi.json for about so long; returns its exit code."""
    with tempfile.TemporaryDirectory() as directory:
        command = (
            *(str(Path(sys.executable).with_name("schemathesis")), "run", f"http://{url}/openapi.json"),
            *("--exclude-checks", "positive_data_acceptance,negative_data_rejection"),
            *("--exclude-path", _ENDLESS),
            *("--max-time", str(seconds), "--seed", str(seed), "--request-timeout", "20"),
            *("--generation-database", "none", "--continue-on-failure", "--no-color", "--warnings", "off"),
        )
        return subprocess.run(command, cwd=directory, check=False).returncode


def both(pipeline: Pipeline, seconds: int, seed: int) -> int:
    """Fuzzes receiver and web API, each for half of the time; then all is still well. Returns an exit code."""
    codes = [fuzz(pipeline.url(name), max(1, seconds // 2), seed) for name in ("receiver", "webapi")]
    pipeline.require_ready()
    pipeline.settle(at_least=True)
    return max(codes)


def main(seconds: str = "600", seed: str = "") -> int:
    """Starts everything, fuzzes it and returns an exit code."""
    with running_on("embedded") as pipeline:
        fill(pipeline)
        return both(pipeline, int(seconds), seeds.said(seed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
