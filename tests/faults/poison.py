"""What bad lines cost the good ones: `python -m tests.faults.poison [SECONDS [ROUNDS]]`.

Uploads as fast as they are taken, in turns without and with bad lines: then each upload has one of its hundred, so that
the door looks at every line of it, and the actor buries one.
"""

from __future__ import annotations

import sys
import time
from statistics import median

from cli.bench.load import Plan
from cli.bench.loading import loading, sent_by
from tests.integration.pipeline import Pipeline, running_on

LINES, CONNECTIONS = 100, 32
BAD = 0.01
WARM_UP_SECONDS = 20.0


def drained(pipeline: Pipeline, seconds: float, bad: float) -> float:
    """Lines a second from the first request until the last is counted; every bad one is a dead letter then."""
    before = pipeline.query("SELECT COUNT(*) FROM dead_letter")[0][0]
    start = time.monotonic()
    url = f"http://{pipeline.url('receiver')}/upload"
    with loading(Plan(url, LINES, CONNECTIONS, seconds, bad=bad, seed=time.time_ns() % 2**31)) as process:
        sent = sent_by(process)
    pipeline.expect(sent.lines)
    pipeline.settle(300, at_least=True)
    rate = sent.lines / (time.monotonic() - start)
    buried = pipeline.query("SELECT COUNT(*) FROM dead_letter")[0][0] - before
    assert buried == round(sent.lines * bad), (buried, sent.lines)
    return rate


def main(seconds: str = "20", rounds: str = "5") -> int:
    """Starts everything, measures, and returns an exit code: 1 where bad lines cost a tenth or more."""
    shares: list[float] = []
    with running_on("real") as pipeline:
        drained(pipeline, WARM_UP_SECONDS, BAD)
        for _ in range(int(rounds)):
            clean, poisoned = (drained(pipeline, float(seconds), bad) for bad in (0.0, BAD))
            shares.append(poisoned / clean)
            print(f"{clean:,.0f} lines/s without, {poisoned:,.0f} with bad lines", flush=True)
    print(f"of the rate without them: {median(shares):.3f} (median), {min(shares):.3f} to {max(shares):.3f}")
    return int(median(shares) <= 0.9)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
