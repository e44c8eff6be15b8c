"""`/ledger`: every line in one class, as a whole and by day, and what is not planned beside them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.plan import write_off
from pipeline import ledger
from pipeline.models import Batch, LedgerMinute, Progress, Stream
from pipeline.storage import Store
from tests.stores import empty

MINUTE = datetime(2026, 3, 3, 12, 0)  # noqa: DTZ001 (the database's times are naive UTC)
MIDNIGHT = MINUTE.replace(hour=0)
CLASSES = ("received", "stored", "discarded", "rejected", "duplicate", "lost", "pending")


def batch(first: int, at: datetime, state: str, **counts: int) -> dict[str, Any]:
    """A batch of one offset, planned at a time."""
    times = dict.fromkeys(("oldest_at", "planned_at", "dispatched_at"), at)
    known = {"stored": 0, "discarded": 0, "rejected": 0, "duplicate": 0} | counts
    where = {"stream": 1, "part": 0, "generation": 0, "first": first, "next": first + 1}
    return {**where, **times, **known, "digest": b"d" * 16, "state": state}


def fill(store: Store) -> None:
    """A done, a lost and a pending batch, a pruned minute, one partition behind and one of a topic that is gone."""

    def work() -> None:
        done = batch(0, MINUTE, "done", lines=10, stored=4, discarded=3, rejected=2, duplicate=1)
        lost = batch(1, MINUTE + timedelta(seconds=59.999999), "lost", lines=20)
        pending = batch(2, MINUTE + timedelta(minutes=1), "pending", lines=30)
        Batch.insert_many([done, lost, pending]).execute()
        pruned = {"received": 21, "stored": 1, "discarded": 2, "rejected": 3, "duplicate": 4, "lost": 11}
        LedgerMinute.insert(minute=MINUTE - timedelta(days=3), **pruned).execute()
        for number, state in enumerate(("live", "gone")):
            stream = Stream.insert(cluster_id="c", topic="raw-logs", topic_id=str(number), state=state).execute()
            Progress.insert(
                stream=stream, part=3, generation=0, next_plan=3, end_offset=8, seen_at=store.now()
            ).execute()

    store.write(work)


def test_every_line_is_in_one_class(api: FlaskClient, store: Store) -> None:
    fill(store)
    assert api.get("/ledger").json == {
        "received": 81,
        "stored": 5,
        "discarded": 5,
        "rejected": 5,
        "duplicate": 5,
        "lost": 31,
        "pending": 30,
        "balanced": True,
        "not_planned": [{"topic": "raw-logs", "partition": 3, "records": 5}],
        "lost_uncounted": [],
        "meta": {"minutes": {"from": None, "before": None}},
    }


def test_an_empty_ledger_is_balanced(api: FlaskClient) -> None:
    found = api.get("/ledger").json
    assert (found["received"], found["balanced"], found["not_planned"]) == (0, True, [])


def test_minutes_are_whole(api: FlaskClient, store: Store) -> None:
    fill(store)
    found = api.get("/ledger?from=2026-03-03T12:00:30Z&to=2026-03-03T12:00:30Z").json
    assert (found["received"], found["lost"], found["pending"]) == (30, 20, 0)
    assert found["meta"]["minutes"] == {"from": "2026-03-03T12:00:00Z", "before": "2026-03-03T12:01:00Z"}
    assert api.get("/ledger?to=2026-03-02T00:00:00Z").json["received"] == 21
    assert api.get("/ledger?from=2026-03-03T12:01:00Z").json["received"] == 30


def test_an_account_that_does_not_add_up_is_said(api: FlaskClient, store: Store) -> None:
    fill(store)
    store.write(lambda: Batch.update(stored=5).where(Batch.state == "done").execute())
    assert api.get("/ledger").json["balanced"] is False


def test_a_bad_parameter_is_named(refusing: FlaskClient) -> None:
    for query, name in {"from=noon": "from", "to=1": "to", "range=hour": "range"}.items():
        for page in ("/ledger", "/ledger/days"):
            answer = refusing.get(f"{page}?{query}")
            assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, name)


def test_days_are_listed_oldest_first_with_pruned_minutes_and_no_empty_day(api: FlaskClient, store: Store) -> None:
    fill(store)
    assert api.get("/ledger/days").json == {
        "data": [
            {"day": "2026-02-28", "received": 21, "stored": 1, "discarded": 2, "rejected": 3, "duplicate": 4}
            | {"lost": 11, "pending": 0, "balanced": True},
            {"day": "2026-03-03", "received": 60, "stored": 4, "discarded": 3, "rejected": 2, "duplicate": 1}
            | {"lost": 20, "pending": 30, "balanced": True},
        ],
        "balanced": True,
        "meta": {"minutes": {"from": None, "before": None}},
    }


def test_a_ledger_without_batches_has_no_days_and_is_balanced(api: FlaskClient) -> None:
    found = api.get("/ledger/days").json
    assert (found["data"], found["balanced"]) == ([], True)


def test_a_day_ends_with_its_last_microsecond(api: FlaskClient, store: Store) -> None:
    last = MIDNIGHT - timedelta(microseconds=1)
    rows = [batch(0, last, "lost", lines=1), batch(1, MIDNIGHT, "lost", lines=2)]
    pruned = dict.fromkeys(CLASSES[:-1], 0)

    def work() -> None:
        Batch.insert_many(rows).execute()
        for minute, lines in ((MIDNIGHT - timedelta(minutes=1), 4), (MIDNIGHT, 8)):
            LedgerMinute.insert(**pruned | {"minute": minute, "received": lines, "lost": lines}).execute()

    store.write(work)

    def received(query: str) -> list[tuple[str, int]]:
        return [(one["day"], one["received"]) for one in api.get(f"/ledger/days{query}").json["data"]]

    assert received("") == [("2026-03-02", 5), ("2026-03-03", 10)]
    assert received("?from=2026-03-03T00:00:00Z") == [("2026-03-03", 10)]
    assert received("?to=2026-03-02T23:59:00Z") == [("2026-03-02", 5)]
    assert received("?from=2026-03-02T23:59:59.999999Z&to=2026-03-03T00:00:00%2B00:00") == received("")
    assert received("?from=2026-03-03T00:01:00%2B00:01") == [("2026-03-03", 10)]
    assert received("?from=2026-03-03T00:01:00Z") == []


def test_two_days_whose_errors_cancel_are_not_balanced(api: FlaskClient, store: Store) -> None:
    rows = [
        batch(0, MIDNIGHT - timedelta(hours=1), "done", lines=10, stored=11),
        batch(1, MIDNIGHT, "done", lines=10, stored=9),
    ]
    store.write(lambda: Batch.insert_many(rows).execute())
    assert api.get("/ledger").json["balanced"] is True
    found = api.get("/ledger/days").json
    assert [one["balanced"] for one in found["data"]] == [False, False]
    assert found["balanced"] is False


MINUTES = st.integers(-3 * 1440, 3 * 1440).map(lambda minutes: MIDNIGHT + timedelta(minutes=minutes))
SECONDS = st.sampled_from((0, 1, 59, 59.999999)).map(lambda seconds: timedelta(seconds=seconds))
COUNTS = st.lists(st.integers(0, 10**12), min_size=6, max_size=6)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    batches=st.lists(st.tuples(MINUTES, SECONDS, st.sampled_from(("done", "lost", "pending")), COUNTS), max_size=8),
    pruned=st.lists(st.tuples(MINUTES, COUNTS), max_size=6, unique_by=lambda one: one[0]),
    edges=st.tuples(st.none() | MINUTES, st.none() | MINUTES),
)
def test_the_days_of_any_minutes_add_up_to_their_ledger(
    store: Store, batches: Sequence[Any], pruned: Sequence[Any], edges: tuple[datetime | None, datetime | None]
) -> None:
    # Given any batches and pruned minutes, balanced or not,
    def work() -> None:
        for at, (minute, seconds, state, counts) in enumerate(batches):
            names = ("lines", "stored", "discarded", "rejected", "duplicate")
            Batch.insert(**batch(at, minute + seconds, state, **dict(zip(names, counts, strict=False)))).execute()
        for minute, counts in pruned:
            LedgerMinute.insert(minute=minute, **dict(zip(CLASSES[:-1], counts, strict=True))).execute()

    empty(store)
    store.write(work)
    # when the ledger of any minutes is read as a whole and by day,
    whole, by_day = ledger.read(store, *edges), ledger.days(store, *edges)
    # then both know the same lines, and the days are those on which something was planned.
    assert {name: sum(getattr(day, name) for day in by_day) for name in CLASSES} == {
        name: getattr(whole, name) for name in CLASSES
    }
    first, end = edges
    planned = [minute for minute, *_ in (*batches, *pruned)]
    inside = {at.date() for at in planned if (first is None or at >= first) and (end is None or at < end)}
    assert [day.day for day in by_day] == sorted(inside)


@pytest.mark.real_only
def test_a_few_minutes_of_many_are_read_by_the_indexes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)
    zeros = dict.fromkeys(CLASSES[:-1], 0)
    minutes = [{"minute": MIDNIGHT - timedelta(minutes=at), **zeros} for at in range(20_000)]
    rows = [batch(at, MIDNIGHT - timedelta(seconds=rng.randrange(172_800)), "lost", lines=1) for at in range(4_000)]

    def work() -> None:
        for at in range(0, 20_000, 2_000):
            LedgerMinute.insert_many(minutes[at : at + 2_000]).execute()
        Batch.insert_many(rows).execute()
        store.execute("ANALYZE TABLE batch, ledger").fetchall()

    store.write(work)
    asked: list[tuple[str, Any]] = []
    execute = store.database.execute_sql

    def watched(sql: str, parameters: Any = None) -> Any:
        asked.append((sql, parameters))
        return execute(sql, parameters)

    monkeypatch.setattr(store.database, "execute_sql", watched)
    ledger.days(store, MIDNIGHT - timedelta(hours=2), MIDNIGHT - timedelta(hours=1))
    [(sql, parameters)] = [one for one in asked if "DATE" in one[0]]
    plan = store.read(lambda: store.execute(f"EXPLAIN {sql}", parameters).fetchall())
    assert [row[3] for row in plan[:2]] == ["range", "range"]


def test_what_was_lost_before_it_was_counted_is_told_by_partition(api: FlaskClient, store: Store) -> None:
    fill(store)
    before = api.get("/ledger").json

    def work() -> None:
        for part, first, after in ((1, 10, 14), (1, 20, 21), (2, 0, 7)):
            write_off(store, Stream.get(state="live").id, part, 0, first, after)

    store.write(work)
    found = api.get("/ledger").json
    lost = [{"topic": "raw-logs", "partition": part, "records": records} for part, records in ((1, 5), (2, 7))]
    assert found == {**before, "lost_uncounted": lost}
    assert api.get("/pipeline/status").json["ledger"]["lost_uncounted"] == lost
    assert api.get("/ledger?to=2020-01-01T00:00:00Z").json["lost_uncounted"] == []
