"""What holds once a fault is over, counted in SQL and by the client's journal: nothing here is the product's code.

What the product's ledger says is compared with that, and waited for.

I1 what was acknowledged is in the database, each line once; I2 the rollups are the rows; I3 ranges touch and do not
overlap; I4 Kafka's committed offset is not beyond what is planned and done; I5 nothing stays pending, and a fresh write
counts. (I4 all the while, and I6, that memory is bounded: `tests.faults.witness`.)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from uuid import uuid4

from cli.child import wait_until
from tests.faults import commits
from tests.faults.load import Acknowledged, Journal
from tests.integration.pipeline import CLASSES, PATIENCE, Pipeline
from tests.records import line

SUMS = ("received", *CLASSES)


def require(pipeline: Pipeline, journal: Journal) -> None:
    """Asserts that all that was ever acknowledged is counted exactly once, and that a new upload gets through."""
    assert not journal.refused
    classes, acknowledged = settled(pipeline), journal.read()
    require_each_once(pipeline, acknowledged)
    assert classes == {
        "received": acknowledged.lines + classes["duplicate"],
        "stored": len(acknowledged.stored),
        "discarded": acknowledged.discarded,
        "rejected": acknowledged.rejected,
        "duplicate": classes["duplicate"],
        "lost": 0,
        "pending": 0,
    }
    require_written(pipeline, classes)
    require_ranges_that_touch(pipeline)
    if pipeline.backend.name == "real":
        commits.require_within_the_plan(pipeline)
    require_visible(pipeline, journal)


def require_said(pipeline: Pipeline, journal: Journal) -> None:
    """Asserts that what is missing of all that was acknowledged was written off, and that nothing counts twice."""
    assert not journal.refused
    classes, acknowledged = settled(pipeline), journal.read()
    assert lost_and_twice(pipeline, acknowledged, classes) == (0, 0)
    assert classes["lost"] > 0
    assert classes["received"] - classes["duplicate"] == acknowledged.lines
    require_written(pipeline, classes)
    require_ranges_that_touch(pipeline)
    commits.require_within_the_plan(pipeline)
    require_visible(pipeline, journal)


def settled(pipeline: Pipeline) -> dict[str, int]:
    """How many lines are of each class once nothing is pending: as SQL counts them, and the product says the same."""
    pipeline.settle(at_least=True)
    last: list[dict[str, int]] = []

    def agree() -> bool:
        # What a client was unsure of may still come from Kafka, again: nothing is to change while the product answers.
        before, said, after = counted(pipeline), pipeline.ledger(), counted(pipeline)
        last[:] = before, {name: said[name] for name in SUMS}, after
        return last[0] == last[1] == last[2] and not before["pending"]

    assert wait_until(agree, PATIENCE), f"by SQL, as the ledger says, by SQL again: {last}"
    return last[0]


def counted(pipeline: Pipeline) -> dict[str, int]:
    """How many lines are of each class, by the rows of `batch`: nothing of a run is old enough to be pruned of it."""
    assert pipeline.query("SELECT COUNT(*) FROM ledger") == [(0,)]
    of_state = "CASE WHEN state = '{}' THEN `lines` ELSE 0 END"
    columns = ("`lines`", *CLASSES[:4], of_state.format("lost"), of_state.format("pending"))
    (sums,) = pipeline.query(f"SELECT {', '.join(f'COALESCE(SUM({column}), 0)' for column in columns)} FROM batch")
    return dict(zip(SUMS, map(int, sums), strict=True))


def require_each_once(pipeline: Pipeline, acknowledged: Acknowledged) -> None:
    """Each line that is to be stored is a row, and one only."""
    missing, twice = astray(pipeline, acknowledged)
    assert (missing, twice) == (set(), set())


def lost_and_twice(pipeline: Pipeline, acknowledged: Acknowledged, classes: Mapping[str, int]) -> tuple[int, int]:
    """How many lines to be stored are no row and were not written off, and how many are more rows than one.

    Of what was written off, those lines were to be stored that are not missing among the discarded and rejected.
    """
    missing, twice = astray(pipeline, acknowledged)
    others = acknowledged.discarded - classes["discarded"] + acknowledged.rejected - classes["rejected"]
    return len(missing) - (classes["lost"] - others), len(twice)


def astray(pipeline: Pipeline, acknowledged: Acknowledged) -> tuple[set[str], set[str]]:
    """The paths of lines that are no row though they are to be, and of those that are more, or should be none."""
    rows = pipeline.query("SELECT path, COUNT(*) FROM log_entries GROUP BY path")
    found = {path: count for path, count in rows if path.startswith("/load/")}
    wrong = {path for path, count in found.items() if count != 1 or path not in acknowledged.stored}
    return acknowledged.stored - found.keys(), wrong


def require_written(pipeline: Pipeline, classes: Mapping[str, int]) -> None:
    """Rows, dead letters and rollups are what the batches say of themselves, and these say it of done ones alone."""
    (letters,) = pipeline.query("SELECT COUNT(*) FROM dead_letter")
    assert letters == (classes["rejected"],)
    known = "b.stored + b.discarded + b.rejected + b.duplicate"
    wrong = pipeline.query(
        f"SELECT b.id, b.state, b.`lines`, {known}, b.stored, r.found FROM batch b"
        " LEFT JOIN (SELECT batch, COUNT(*) AS found FROM log_entries GROUP BY batch) r ON r.batch = b.id"
        f" WHERE b.stored <> COALESCE(r.found, 0) OR {known} <> CASE WHEN b.state = 'done' THEN b.`lines` ELSE 0 END"
    )
    assert wrong == []
    assert pipeline.query("SELECT COUNT(*) FROM log_entries") == [(classes["stored"],)]
    require_rollups_of_rows(pipeline, classes["discarded"])


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


def require_visible(pipeline: Pipeline, journal: Journal) -> None:
    """A new upload becomes a row."""
    path = f"/load/fresh/{uuid4()}"
    # Dated now: what is old goes when it has served its time.
    fresh = line(404, path, time=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    assert pipeline.upload([fresh], path).status == 202
    journal.acknowledged_line(path)
    assert wait_until(lambda: pipeline.get("/logs", path=path).json["meta"]["total"] == 1, PATIENCE, 0.1)
