"""`/ledger`: every line in one class, and what is not planned beside them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient

from pipeline.models import Batch, LedgerMinute, Progress, Stream
from pipeline.storage import Store

MINUTE = datetime(2026, 3, 3, 12, 0)  # noqa: DTZ001 (the database's times are naive UTC)


def fill(store: Store) -> None:
    """A done, a lost and a pending batch, a pruned minute, one partition behind and one of a topic that is gone."""

    def batch(first: int, at: datetime, state: str, **counts: int) -> dict[str, Any]:
        times = dict.fromkeys(("oldest_at", "planned_at", "dispatched_at"), at)
        known = {"stored": 0, "discarded": 0, "rejected": 0, "duplicate": 0} | counts
        where = {"stream": 1, "part": 0, "generation": 0, "first": first, "next": first + 1}
        return {**where, **times, **known, "digest": bytes(16), "state": state}

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
        answer = refusing.get(f"/ledger?{query}")
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, name)
