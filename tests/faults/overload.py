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
from collections.abc import Callable, Iterator

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
TICK, SAMPLE_SECONDS, SETTLED_SECONDS = 0.1, 5.0, 30.0
DRAIN_SECONDS = 900.0
GROWTH_MB = 60.0
_SETTLED = int(SETTLED_SECONDS / SAMPLE_SECONDS)


class Samples:
    """Megabytes of each process, and of Redis, in the order in which they were taken."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._following = time.monotonic()
        self.of: dict[str, list[float]] = {}

    def tick(self) -> None:
        """Takes one of each where it is time for the next."""
        if time.monotonic() >= self._following:
            self._following += SAMPLE_SECONDS
            self.take()

    def take(self) -> None:
        """Takes one of each."""
        for name in PROCESSES:
            self.of.setdefault(name, []).append(resident_together(self._pipeline[name].pid))
        with contextlib.closing(redis.Redis.from_url(self._pipeline.environment["REDIS_URL"])) as client:
            self.of.setdefault("Redis' queue", []).append(client.info("memory")["used_memory"] / 1e6)

    def rows(self) -> Iterator[str]:
        """Of each: when the first half minute was over, at most after that, and at the end."""
        for name, taken in self.of.items():
            settled = taken[_SETTLED:] or taken
            yield f"| {name} | {settled[0]:.0f} | {max(settled):.0f} | {taken[-1]:.0f} |"

    def grown(self) -> float:
        """What the one that grew most had more, at most, than after its first half minute."""
        return max(max(taken[_SETTLED:] or taken) - (taken[_SETTLED:] or taken)[0] for taken in self.of.values())


def done(pipeline: Pipeline) -> int:
    """The lines of all batches that are done."""
    return int(pipeline.query("SELECT COALESCE(SUM(`lines`), 0) FROM batch WHERE state = 'done'")[0][0])


def overloaded(pipeline: Pipeline, seconds: float, samples: Samples) -> Sent:
    """Sends for so long while a tenth is drained; returns what was acknowledged."""
    url = f"http://{pipeline.url('receiver')}/upload"
    plan = Plan(url, LINES, CONNECTIONS, seconds, KEPT, UPLOADS_A_SECOND)
    began = time.monotonic()
    with loading(plan) as process:
        while process.poll() is None and (passed := time.monotonic() - began) < seconds:
            ahead = done(pipeline) > DRAINED_SHARE * LINES * UPLOADS_A_SECOND * passed
            (pipeline["worker"].freeze if ahead else pipeline["worker"].thaw)()
            samples.tick()
            time.sleep(TICK)
        pipeline["worker"].thaw()
        return sent_by(process)


def flooded(pipeline: Pipeline, seconds: float, samples: Samples) -> Sent:
    """Sends more at once than may be in hand; returns what was acknowledged."""
    url = f"http://{pipeline.url('receiver')}/upload"
    with loading(Plan(url, FLOOD_LINES, FLOOD_CONNECTIONS, seconds, KEPT)) as process:
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < seconds:
            samples.tick()
            time.sleep(TICK)
        return sent_by(process)


def measured(pipeline: Pipeline, name: str, work: Callable[[Pipeline, float, Samples], Sent], seconds: float) -> Sent:
    """Does it, has all of it drained, and prints what it took. Raises AssertionError where a line is lost."""
    samples = Samples(pipeline)
    before = done(pipeline)
    sent = work(pipeline, seconds, samples)
    ended, left = time.monotonic(), sent.lines - (done(pipeline) - before)
    pipeline.expect(sent.lines)
    ledger = pipeline.settle(DRAIN_SECONDS, at_least=True)
    took = time.monotonic() - ended
    samples.take()
    print(
        f"{name}: {sent.lines:,} lines acknowledged in {seconds:.0f} s, uploads refused for now {sent.refused:,} times;"
        f" {left:,} lines were left, and drained in {took:.1f} s\n\n"
        "| MB | after 30 s | at most | when all was drained |\n|---|---|---|---|"
    )
    print(*samples.rows(), "", sep="\n", flush=True)
    assert ledger["lost"] == 0
    assert samples.grown() < GROWTH_MB
    return sent


def main(seconds: str = "600") -> int:
    """Starts everything, overloads it, and returns an exit code."""
    with running_on("real") as pipeline:
        sent = [
            measured(pipeline, "ten times what is drained", overloaded, float(seconds)),
            measured(pipeline, "more than may be in hand", flooded, FLOOD_SECONDS),
        ]
        assert sent[1].refused, "nothing was refused"
        (rows,) = pipeline.query("SELECT COUNT(*) FROM log_entries")
        assert rows == (sum(one.stored for one in sent),)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
