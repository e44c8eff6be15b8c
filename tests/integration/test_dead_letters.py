"""What was rejected is mended and sent again: it counts once, and the ledger balances."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from tests.integration.pipeline import CLASSES, Pipeline
from tests.records import line

DAY = datetime.now(UTC) - timedelta(days=18)


def retry(pipeline: Pipeline, *words: object) -> int:
    """The exit code of `tally dead-letters retry`; the lines that it sends are expected in the ledger."""
    argv = [sys.executable, "-m", "cli.main", "dead-letters", "retry", *map(str, words)]
    done = subprocess.run(argv, env=os.environ | pipeline.environment, check=False, stderr=subprocess.PIPE, timeout=60)
    pipeline.expected += b"sent 1 again" in done.stderr
    return done.returncode


def test_a_line_that_is_mended_counts_once_however_often_it_is_sent_again(pipeline: Pipeline) -> None:
    time, before = f"{DAY:%Y-%m-%dT%H:%M:%SZ}", pipeline.settle()
    good, mended = line(404, "/letters/good", time=time), line(500, "/letters/mended", time=time)
    assert pipeline.upload([good, mended.replace(" 500 ", " 5000 ")]).status == 202
    pipeline.settle()
    (letter,) = [one for one in pipeline.get("/dead-letters").json["data"] if "/letters/mended" in one["text"]]
    assert (letter["reason"], letter["line"]) == ("status", 1)
    # Unchanged it is what it was; mended it is sent, also once more by somebody who is not sure.
    assert retry(pipeline, letter["id"]) == 1
    assert retry(pipeline, letter["id"], "--replace", mended) == 0
    assert retry(pipeline, letter["id"], "--replace", mended) == 1
    assert retry(pipeline, letter["id"], "--replace", mended, "--again") == 0
    after = pipeline.settle()
    added = {name: after[name] - before[name] for name in ("received", *CLASSES) if after[name] != before[name]}
    assert added == {"received": 4, "stored": 2, "rejected": 1, "duplicate": 1}
    assert after["balanced"]
    assert pipeline.get("/logs", path="/letters/mended").json["meta"]["total"] == 1
    assert pipeline.get(f"/dead-letters/{letter['id']}").json["data"]["retried_at"] is not None
