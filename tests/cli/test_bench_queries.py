"""The bench of queries: made-up traffic in columns, a small run, and what its report says."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from cli.bench.kinds import kinds
from cli.bench.measured import Measured, Size, Times
from cli.bench.traffic import KEPT, SECONDS, Traffic
from pipeline import grammar
from tests.servers import Backend

START = 1_750_000_000.0
KINDS = kinds(datetime.now(UTC), "/", "/rare", "10.0.0.1", 1_000)


def test_the_traffic_is_lines_that_the_grammar_takes_and_a_seed_repeats() -> None:
    one, again = (Traffic(10_000, START, seed=7).frame(0, 10_000) for _ in range(2))
    assert one.equals(again)
    fields = one.head(2_000).select("time", "ip", "method", "path", "status", "latency")
    for time, ip, method, path, status, latency in fields.iter_rows():
        grammar.parse(f"{time}Z {ip} {method} {path} {status} {latency}ms")
    assert abs((one["status"] != 200).mean() - KEPT) < 0.03
    assert one["path"].n_unique() > 1_000


def test_the_traffic_fills_its_days_and_goes_on_after_them() -> None:
    traffic = Traffic(10_000, START, seed=7)
    assert traffic.due(START) == 0
    assert traffic.due(START + SECONDS / 2) == pytest.approx(5_000, abs=100)
    assert traffic.due(START + SECONDS) == 10_000
    assert traffic.due(START + SECONDS + 3_600) > 10_000
    last = traffic.frame(9_990, 10)["time"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.3f", time_zone="UTC").dt.epoch("s")
    assert START + SECONDS - 3_600 < last.min() <= last.max() <= START + SECONDS


def measured(*milliseconds: float, yardstick: float = 2_500_000) -> Measured:
    """The same time of every kind, at sizes of their own."""
    sizes = [
        Size(1_000 * (at + 1), 1.0, {kind.name: Times(5, one, one) for kind in KINDS}, {}, 300_000, 600, 1_000)
        for at, one in enumerate(milliseconds)
    ]
    return Measured("a machine", "a database", yardstick, sizes)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (measured(10), "yes"),
        (measured(30), "p50"),
        (measured(30, yardstick=1_250_000), "yes"),
        (measured(5, 15), "grows"),
        (measured(80, 90), "p50, p99"),
    ],
)
def test_a_target_is_met_in_proportion_to_the_yardstick(found: Measured, said: str) -> None:
    assert found.met(KINDS[0]) == said


def test_a_small_run_asks_every_kind_and_leaves_no_number_out(running_backends, tmp_path: Path) -> None:
    backend: Backend = running_backends("embedded")
    report = tmp_path / "report.json"
    argv = ["bench-queries", "--rows", "2000", "--repeats", "2", "--seconds", "0.1", "--output", str(report)]
    environment = os.environ | backend.environment(DATA_DIR=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *argv], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = msgspec.json.decode(report.read_bytes(), type=Measured)
    (size,) = found.sizes
    assert 1_500 < size.rows < 2_500
    assert len(size.times) >= 50
    assert size.times.keys() == size.plans.keys()
    for name, times in size.times.items():
        assert f"| `{name}` | " in done.stdout
        assert 0 < times.p50 <= times.p99
        assert times.failed == 0
        assert size.plans[name], name
    assert any(times.warm_p50 for times in size.times.values())
    assert min(size.export_rows, size.cached_requests, size.bare_requests, found.yardstick) > 0
