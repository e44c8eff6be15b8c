"""The whole pipeline says how it is."""

from __future__ import annotations

from typing import Any

from cli.child import wait_until
from tests.integration.pipeline import PATIENCE, PROCESSES, Pipeline
from tests.records import line


def status(pipeline: Pipeline) -> dict[str, Any]:
    """What it says now."""
    found: dict[str, Any] = pipeline.get("/pipeline/status").json
    return found


def totals(pipeline: Pipeline) -> dict[str, int]:
    """How many lines each hop that counts them has seen."""
    return {hop["name"]: hop["lines_total"] for hop in status(pipeline)["hops"] if hop["lines_total"] is not None}


def test_every_process_speaks_and_each_hop_counts_what_came(pipeline: Pipeline) -> None:
    assert wait_until(lambda: {one["name"] for one in status(pipeline)["processes"]} == set(PROCESSES), PATIENCE)
    before = totals(pipeline)
    assert pipeline.upload([line(404, time="2025-06-11T10:41:40Z")] * 50).status == 202
    pipeline.settle()
    risen = {name: total + 50 for name, total in before.items()}
    assert wait_until(lambda: totals(pipeline) == risen, PATIENCE)
    assert set(risen) == {"receiver", "consumer", "workers", "database"}
    found = status(pipeline)
    assert {hop["state"] for hop in found["hops"]} == {"ok"}
    assert all(one["alive"] for one in found["processes"])
    assert found["oldest_pending"] is None
