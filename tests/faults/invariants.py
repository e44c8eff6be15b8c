"""What holds once a fault is over, counted in SQL and by the client's journal: nothing here is the product's code.

I1 what was acknowledged is in the database, each line once; I2 the rollups are the rows; I3 ranges touch and do not
overlap; I4 Kafka's committed offset is not beyond the plan; I5 nothing stays pending, and a fresh write counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from uuid import uuid4

from kafka.admin import KafkaAdminClient

from cli.child import wait_until
from tests.faults.load import Journal
from tests.integration.pipeline import PATIENCE, Pipeline
from tests.records import line


def require(pipeline: Pipeline, journal: Journal) -> None:
    """Asserts that all that was ever acknowledged is counted exactly once, and that a new upload gets through."""
    assert not journal.refused
    ledger = pipeline.settle(at_least=True)
    require_each_once(pipeline, journal)
    counted = {name: ledger[name] for name in ("stored", "discarded", "rejected", "lost")}
    assert counted == {
        "stored": len(journal.stored),
        "discarded": journal.discarded,
        "rejected": journal.rejected,
        "lost": 0,
    }
    assert ledger["received"] - ledger["duplicate"] == journal.lines
    assert pipeline.query("SELECT COUNT(*) FROM dead_letter") == [(journal.rejected,)]
    require_rollups_of_rows(pipeline, journal.discarded)
    require_ranges_that_touch(pipeline)
    if pipeline.backend.name == "real":
        require_commits_within_the_plan(pipeline)
    require_visible(pipeline, journal)


def require_said(pipeline: Pipeline, journal: Journal) -> None:
    """Asserts that what is missing of all that was acknowledged was written off, and that nothing counts twice."""
    assert not journal.refused
    ledger = pipeline.settle(at_least=True)
    assert lost_and_twice(pipeline, journal, ledger) == (0, 0)
    assert ledger["lost"] > 0
    assert ledger["received"] - ledger["duplicate"] == journal.lines
    require_ranges_that_touch(pipeline)
    require_visible(pipeline, journal)


def require_each_once(pipeline: Pipeline, journal: Journal) -> None:
    """Each line that is to be stored is a row, and one only."""
    missing, twice = astray(pipeline, journal)
    assert (missing, twice) == (set(), set())


def lost_and_twice(pipeline: Pipeline, journal: Journal, ledger: Mapping[str, int]) -> tuple[int, int]:
    """How many lines to be stored are no row and were not written off, and how many are more rows than one.

    Of what was written off, those lines were to be stored that are not missing among the discarded and rejected.
    """
    missing, twice = astray(pipeline, journal)
    others = journal.discarded - ledger["discarded"] + journal.rejected - ledger["rejected"]
    return len(missing) - (ledger["lost"] - others), len(twice)


def astray(pipeline: Pipeline, journal: Journal) -> tuple[set[str], set[str]]:
    """The paths of lines that are no row though they are to be, and of those that are more, or should be none."""
    rows = pipeline.query("SELECT path, COUNT(*) FROM log_entries GROUP BY path")
    found = {path: count for path, count in rows if path.startswith("/load/")}
    wrong = {path for path, count in found.items() if count != 1 or path not in journal.stored}
    return journal.stored - found.keys(), wrong


def require_rollups_of_rows(pipeline: Pipeline, discarded: int) -> None:
    """The second count, at each of its levels, equals the first."""
    (rows,) = pipeline.query("SELECT COUNT(*), SUM(latency_ms) FROM log_entries")
    for level in (60, 3600, 86_400):
        sums = "SELECT SUM(requests), SUM(latency_sum) FROM rollup_requests WHERE level = {} AND kept = {}"
        (stored,), (rest,) = (pipeline.query(sums.format(level, kept)) for kept in (1, 0))
        assert tuple(map(int, stored)) == tuple(map(int, rows)), level
        assert int(rest[0]) == discarded, level


def require_ranges_that_touch(pipeline: Pipeline) -> None:
    """Each partition's batches are one range, which ends where the plan does."""
    batches = pipeline.query("SELECT stream, part, generation, first, next FROM batch ORDER BY 1, 2, 3, 4")
    for (*one, _, end), (*other, first, _) in pairwise(batches):
        assert one != other or end == first, (one, end, first)
    ends = {tuple(partition): end for *partition, end in ((*batch[:3], batch[4]) for batch in batches)}
    plans = {
        tuple(row[:3]): row[3] for row in pipeline.query("SELECT stream, part, generation, next_plan FROM progress")
    }
    assert {partition[:2] for partition in ends} <= {partition[:2] for partition in plans}
    # A plan is of its partition's last generation; those before stay as they ended.
    for partition, end in plans.items():
        assert ends.get(partition, end) == end, partition


def require_commits_within_the_plan(pipeline: Pipeline) -> None:
    """What Kafka was told is planned and done."""
    with KafkaAdminClient(bootstrap_servers=pipeline.backend.kafka_bootstrap_servers) as admin:
        group = pipeline.environment["KAFKA_GROUP"]
        committed = admin.list_group_offsets(group)[group]
    plans = dict(pipeline.query("SELECT part, next_plan FROM progress"))
    for partition, offset in committed.items():
        assert offset.offset <= plans[partition.partition], partition


def require_visible(pipeline: Pipeline, journal: Journal) -> None:
    """A new upload becomes a row."""
    path = f"/load/fresh/{uuid4()}"
    # Dated now: what is old goes when it has served its time.
    fresh = line(404, path, time=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    assert pipeline.upload([fresh], path).status == 202
    journal.stored.add(path)
    assert wait_until(lambda: pipeline.get("/logs", path=path).json["meta"]["total"] == 1, PATIENCE, 0.1)
