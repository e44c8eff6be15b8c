"""Made-up traffic is valid, repeatable, and has the shares that were asked for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from pipeline.grammar import Line, parse
from pipeline.traffic import Traffic

START = datetime(2026, 3, 3, 12, 0, 0, 999_999, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def lines(seed: int = 7, client_errors: float = 0.2, server_errors: float = 0.2, size: int = 5_000) -> list[Line]:
    """An upload's lines, as the grammar reads them."""
    return [parse(line) for line in Traffic(Random(seed), client_errors, server_errors).upload(size, START, SECOND)]


def test_a_seed_repeats_its_lines_and_another_does_not() -> None:
    assert lines(size=200) == lines(size=200)
    assert lines(size=200) != lines(seed=8, size=200)


@pytest.mark.parametrize(("client_errors", "server_errors"), [(0.2, 0.2), (0.0, 0.0), (1.0, 0.0), (0.3, 0.7)])
def test_statuses_have_their_shares(client_errors: float, server_errors: float) -> None:
    found = Counter(line.status for line in lines(client_errors=client_errors, server_errors=server_errors))
    expected = {404: client_errors, 500: server_errors, 200: 1 - client_errors - server_errors}
    assert set(found) == {status for status, share in expected.items() if share > 1e-9}
    for status, share in expected.items():
        assert found[status] / 5_000 == pytest.approx(share, abs=0.03)


def test_lines_are_dated_evenly_and_in_order() -> None:
    stamps = [line.timestamp.replace(tzinfo=UTC) for line in lines(size=100)]
    assert stamps == sorted(stamps)
    assert START - timedelta(milliseconds=1) < stamps[0] <= stamps[-1] < START + SECOND


def test_some_visitors_come_again_and_some_speak_ipv6() -> None:
    visitors = Counter(line.ip for line in lines())
    assert 1_000 < len(visitors) < 4_000
    assert visitors.most_common(1)[0][1] > 50
    assert 0 < sum(":" in ip for ip in visitors) < len(visitors) / 10


def test_latencies_are_skewed_and_failures_slower() -> None:
    found = lines()

    def median(status: int) -> int:
        latencies = sorted(line.latency_ms for line in found if line.status == status)
        return latencies[len(latencies) // 2]

    assert median(404) < median(200) < median(500)
