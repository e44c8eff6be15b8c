"""Ten times more than is drained, more than the door takes, and then everything drained.

`python -m tests.faults.overload 600`: the worker is frozen whenever it has done more than a tenth of what was to be
sent until then. Kafka has the rest: what is measured is what that costs the processes and Redis, and what becomes of
it. Then, with the worker at work, a thousand clients send large uploads as fast as they are answered for two minutes:
twice what may be in hand at once.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable

import redis

from cli.bench.load import Plan, Sent
from cli.bench.loading import loading, sent_by
from tests.faults.session import resident_together
from tests.integration.pipeline import PROCESSES, Pipeline, running_on

LINES, UPLOADS_A_SECOND = 100, 200.0
KEPT = 0.05
DRAINED_SHARE = 0.1
CONNECTIONS = 32
FLOOD_LINES, FLOOD_CONNECTIONS, FLOOD_SECONDS = 2_000, 1_000, 120.0
TICK, SAMPLE_SECONDS, WARM_SECONDS = 0.1, 5.0, 60.0
DRAIN_SECONDS = 900.0
GROWTH_MB = 60.0


class Samples:
    """Megabytes of each process, and of Redis: the most that was seen, and what was seen last."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._following = time.monotonic()
        self.most: dict[str, float] = {}
        self.last: dict[str, float] = {}

    def tick(self) -> None:
        """Looks where it is time to."""
        if time.monotonic() >= self._following:
            self._following += SAMPLE_SECONDS
            self.take()

    def take(self) -> None:
        """Looks at each."""
        self.last = {name: resident_together(self._pipeline[name].pid) for name in PROCESSES}
        with contextlib.closing(redis.Redis.from_url(self._pipeline.environment["REDIS_URL"])) as client:
            self.last["Redis' queue"] = client.info("memory")["used_memory"] / 1e6
        self.most = {name: max(now, self.most.get(name, 0)) for name, now in self.last.items()}


Work = Callable[[Pipeline, float, Samples], Sent]


def done(pipeline: Pipeline) -> int:
    """The lines of all batches that are done, but for what came again."""
    return int(pipeline.query("SELECT COALESCE(SUM(`lines` - duplicate), 0) FROM batch WHERE state = 'done'")[0][0])


def overloaded(pipeline: Pipeline, seconds: float, samples: Samples) -> Sent:
    """Sends for so long while a tenth is drained; returns what was acknowledged."""
    worker, before = pipeline["worker"], done(pipeline)

    def hold_back(passed: float) -> None:
        ahead = done(pipeline) - before > DRAINED_SHARE * LINES * UPLOADS_A_SECOND * passed
        (worker.freeze if ahead else worker.thaw)()

    sent = sampled(Plan(upload_url(pipeline), LINES, CONNECTIONS, seconds, KEPT, UPLOADS_A_SECOND), samples, hold_back)
    worker.thaw()
    return sent


def flooded(pipeline: Pipeline, seconds: float, samples: Samples) -> Sent:
    """Sends more at once than may be in hand; returns what was acknowledged."""
    return sampled(Plan(upload_url(pipeline), FLOOD_LINES, FLOOD_CONNECTIONS, seconds, KEPT), samples, lambda _: None)


def upload_url(pipeline: Pipeline) -> str:
    """Where uploads go."""
    return f"http://{pipeline.url('receiver')}/upload"


def sampled(plan: Plan, samples: Samples, meanwhile: Callable[[float], None]) -> Sent:
    """Sends as planned, and looks meanwhile; `meanwhile` is told the seconds that have passed."""
    began = time.monotonic()
    with loading(plan) as process:
        while process.poll() is None and (passed := time.monotonic() - began) < plan.seconds:
            meanwhile(passed)
            samples.tick()
            time.sleep(TICK)
        return sent_by(process)


def drained(pipeline: Pipeline, work: Work, seconds: float, samples: Samples) -> tuple[Sent, int, float]:
    """Does it and waits until all is drained; returns what was acknowledged, the lines that were left when it had
    ended, and how long those took. Raises AssertionError where a line is lost."""
    before = done(pipeline)
    sent = work(pipeline, seconds, samples)
    ended, left = time.monotonic(), sent.lines - (done(pipeline) - before)
    while done(pipeline) - before < sent.lines and time.monotonic() - ended < DRAIN_SECONDS:
        samples.tick()
        time.sleep(TICK)
    took = time.monotonic() - ended
    pipeline.expect(sent.lines)
    assert pipeline.settle(at_least=True)["lost"] == 0
    samples.take()
    return sent, left, took


def measured(pipeline: Pipeline, name: str, work: Work, seconds: float) -> list[Sent]:
    """Does it for a minute, so that each process has the memory that it works with, and then for so long; prints what
    it took. Raises AssertionError where a line is lost, or that memory was not enough."""
    first, rest = Samples(pipeline), Samples(pipeline)
    warm, *_ = drained(pipeline, work, WARM_SECONDS, first)
    sent, left, took = drained(pipeline, work, seconds, rest)
    print(
        f"{name}: {sent.lines:,} lines acknowledged in {seconds:.0f} s, uploads refused for now {sent.refused:,} times;"
        f" {left:,} lines were left, and drained in {took:.1f} s\n\n"
        f"| MB | at most in the {WARM_SECONDS:.0f} s before | at most | when all was drained |\n|---|---|---|---|"
    )
    for part, most in rest.most.items():
        print(f"| {part} | {first.most[part]:.0f} | {most:.0f} | {rest.last[part]:.0f} |")
    print(flush=True)
    grown = {part: most - first.most[part] for part, most in rest.most.items()}
    assert max(grown.values()) < GROWTH_MB, grown
    return [warm, sent]


def main(seconds: str = "600") -> int:
    """Starts everything, overloads it, and returns an exit code."""
    with running_on("real") as pipeline:
        sent = measured(pipeline, "ten times what is drained", overloaded, float(seconds))
        sent += measured(pipeline, "more than may be in hand", flooded, FLOOD_SECONDS)
        assert sent[-1].refused, "nothing was refused"
        (rows,) = pipeline.query("SELECT COUNT(*) FROM log_entries")
        assert rows == (sum(one.stored for one in sent),)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
