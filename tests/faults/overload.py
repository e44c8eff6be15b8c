"""Ten times more than is drained, and then everything drained: `python -m tests.faults.overload 600`.

The worker is frozen whenever it has done more than a tenth of what was to be sent until then. Kafka has the rest: what
is measured is what that costs the processes and Redis, and what becomes of it.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

import redis

from cli.bench.load import Plan, Sent
from cli.bench.run import loading, sent_by
from tests.faults.session import resident_together
from tests.integration.pipeline import PROCESSES, Pipeline, running_on

LINES, UPLOADS_A_SECOND = 100, 200.0
KEPT = 0.05
DRAINED_SHARE = 0.1
CONNECTIONS = 32
TICK, SAMPLE_SECONDS = 0.1, 5.0
GROWTH_MB = 60.0


class Samples:
    """Megabytes of each process, and of Redis, in the order in which they were taken."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.of: dict[str, list[float]] = {}

    def take(self) -> None:
        """One of each."""
        for name in PROCESSES:
            self.of.setdefault(name, []).append(resident_together(self._pipeline[name].pid))
        with contextlib.closing(redis.Redis.from_url(self._pipeline.environment["REDIS_URL"])) as client:
            self.of.setdefault("Redis' queue", []).append(client.info("memory")["used_memory"] / 1e6)

    def rows(self) -> Iterator[str]:
        """Of each: when the first half minute was over, at most, and at the end."""
        for name, taken in self.of.items():
            yield f"| {name} | {_settled(taken):.0f} | {max(taken):.0f} | {taken[-1]:.0f} |"

    def grown(self) -> dict[str, float]:
        """What each had more, at most, than after its first half minute."""
        return {name: max(taken) - _settled(taken) for name, taken in self.of.items()}


def _settled(taken: list[float]) -> float:
    return taken[min(len(taken) - 1, int(30 / SAMPLE_SECONDS))]


def done(pipeline: Pipeline) -> int:
    """The lines of all batches that are done."""
    return int(pipeline.query("SELECT COALESCE(SUM(`lines`), 0) FROM batch WHERE state = 'done'")[0][0])


def overload(pipeline: Pipeline, seconds: float, samples: Samples) -> tuple[Sent, int]:
    """Sends for so long while a tenth is drained; returns what was acknowledged, and how much of it was done then."""
    url = f"http://{pipeline.url('receiver')}/upload"
    plan = Plan(url, LINES, CONNECTIONS, seconds, KEPT, UPLOADS_A_SECOND)
    began, following = time.monotonic(), 0.0
    with loading(plan) as process:
        while process.poll() is None and (passed := time.monotonic() - began) < seconds:
            ahead = done(pipeline) > DRAINED_SHARE * LINES * UPLOADS_A_SECOND * passed
            (pipeline["worker"].freeze if ahead else pipeline["worker"].thaw)()
            if passed >= following:
                samples.take()
                following += SAMPLE_SECONDS
            time.sleep(TICK)
        drained = done(pipeline)
        pipeline["worker"].thaw()
        return sent_by(process), drained


def main(seconds: str = "600") -> int:
    """Starts everything, overloads it, and returns an exit code."""
    with running_on("real") as pipeline:
        samples = Samples(pipeline)
        sent, drained = overload(pipeline, float(seconds), samples)
        ended = time.monotonic()
        pipeline.expect(sent.lines)
        ledger = pipeline.settle(600, at_least=True)
        took = time.monotonic() - ended
        samples.take()
        print(
            f"{sent.lines:,} lines acknowledged in {seconds} s, {sent.refused} uploads refused; {drained:,} done then; "
            f"the other {sent.lines - drained:,} in {took:.1f} s\n\n"
            "| MB | after 30 s | at most | when all was drained |\n|---|---|---|---|"
        )
        for row in samples.rows():
            print(row)
        assert ledger["stored"] == sent.stored == pipeline.query("SELECT COUNT(*) FROM log_entries")[0][0]
        assert ledger["lost"] == 0
        assert all(grown < GROWTH_MB for grown in samples.grown().values()), samples.grown()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
