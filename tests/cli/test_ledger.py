"""`tally ledger` over the real web API and its database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from cli.ask import WebApi
from cli.ledger import run as show
from pipeline.cache import Cache
from pipeline.models import Batch, LedgerMinute, Progress, Stream
from pipeline.storage import Store
from tests.cli.web import run, served, terminal
from tests.stores import database, store
from webapi.app import compose
from webapi.metrics import Metrics

__all__ = ["database", "store"]

NOON = datetime(2026, 3, 3, 12, 0)  # noqa: DTZ001 (the database's times are naive UTC)


@pytest.fixture
def url(store: Store) -> Iterator[str]:
    """The web API over the module's database, without a cache."""
    app = compose(store, Cache.open("redis://127.0.0.1:1/0"), Metrics(), lambda: NOON.replace(tzinfo=UTC))
    app.teardown_request(lambda _: store.disconnect())
    with served(app) as url:
        yield url


def fill(store: Store, stored: int = 9_000) -> None:
    """A batch of 10,000 lines, done, another that is pending, a pruned minute, and two partitions."""
    common = {"stream": 1, "part": 0, "generation": 0, "digest": bytes(16)}
    times = dict.fromkeys(("oldest_at", "planned_at", "dispatched_at"), NOON)

    def work() -> None:
        done = {"first": 0, "next": 1, "state": "done", "lines": 10_000, "stored": stored, "discarded": 1_000}
        pending = {"first": 1, "next": 2, "state": "pending", "lines": 5}
        for batch in (done, pending):
            Batch.insert(**common, **times, **batch).execute()
        pruned = {"received": 7, "stored": 1, "discarded": 1, "rejected": 1, "duplicate": 1, "lost": 3}
        LedgerMinute.insert(minute=NOON - timedelta(days=2), **pruned).execute()
        stream = Stream.insert(cluster_id="c", topic="raw-logs", topic_id="1", state="live").execute()
        for part in (0, 1):
            Progress.insert(
                stream=stream, part=part, generation=0, next_plan=2, end_offset=2 + 1200 * part, seen_at=store.now()
            ).execute()

    store.write(work)


def test_days_a_total_and_what_is_not_planned_go_into_a_pipe_as_lines(url: str, store: Store) -> None:
    fill(store)
    ended = run("ledger", "--url", url)
    assert ended.exit_code == 0
    assert [line.split("\t") for line in ended.stdout.splitlines()] == [
        ["day (UTC)", "received", "stored", "discarded", "rejected", "duplicate", "lost", "pending", "balanced"],
        ["2026-03-01", "7", "1", "1", "1", "1", "3", "0", "yes"],
        ["2026-03-03", "10005", "9000", "1000", "0", "0", "0", "5", "yes"],
        ["total", "10012", "9001", "1001", "1", "1", "3", "5", "yes"],
        [""],
        ["topic", "partition", "not planned yet"],
        ["raw-logs", "0", "0"],
        ["raw-logs", "1", "1200"],
    ]
    assert "it balances" in ended.stderr


def test_a_terminal_has_tables(url: str, store: Store) -> None:
    fill(store)
    seen = terminal(120)
    assert show(WebApi(url), {}, False, seen.paper) == 0
    assert seen.lines == [
        "day (UTC)   received  stored  discarded  rejected  duplicate  lost  pending  balanced",
        "─" * 85,
        "2026-03-01         7       1          1         1          1     3        0       yes",
        "2026-03-03    10,005   9,000      1,000         0          0     0        5       yes",
        "─" * 85,
        "total         10,012   9,001      1,001         1          1     3        5       yes",
        "",
        "topic     partition  not planned yet",
        "─" * 36,
        "raw-logs          0                0",
        "raw-logs          1            1,200",
    ]


def test_minutes_are_asked_for(url: str, store: Store) -> None:
    fill(store)
    ended = run("ledger", "--url", url, "--from", "2026-03-03T12:00:59Z", "--to", "2026-03-03T12:00:00+00:00", "--json")
    assert ended.exit_code == 2
    assert "from: it is later than to" in ended.stderr
    ended = run("ledger", "--url", url, "--from", "2026-03-03T12:00:59Z", "--json")
    found = json.loads(ended.stdout)
    assert (found["received"], [day["day"] for day in found["data"]]) == (10_005, ["2026-03-03"])
    assert found["meta"]["minutes"]["from"] == "2026-03-03T12:00:00Z"
    assert [part["records"] for part in found["not_planned"]] == [0, 1200]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_ledger_that_does_not_balance_ends_with_1(url: str, store: Store, options: list[str]) -> None:
    fill(store, stored=8_998)
    ended = run("ledger", "--url", url, *options)
    assert ended.exit_code == 1
    if options:
        assert json.loads(ended.stdout)["balanced"] is False
    else:
        assert "2026-03-03 by +2" in ended.stderr
        assert ended.stdout.splitlines()[2].endswith("\tNO")


def test_an_empty_ledger_balances(url: str) -> None:
    ended = run("ledger", "--url", url)
    assert ended.exit_code == 0
    assert ended.stdout.splitlines()[1:] == ["total" + "\t0" * 7 + "\tyes"]


def test_a_database_that_is_away_is_named() -> None:
    nowhere = Store.open("mysql://tally:secret@127.0.0.1:1/nowhere")
    app = compose(nowhere, Cache.open("redis://127.0.0.1:1/0"), Metrics(), lambda: NOON.replace(tzinfo=UTC))
    with served(app) as url, capture_logs():
        ended = run("ledger", "--url", url)
    assert ended.exit_code == 69
    assert "the database does not answer" in ended.stderr
