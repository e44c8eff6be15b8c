"""What is said of the pipeline's hops, and of what is wrong with them."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.ledger import Classes
from webapi.hops import WAITING, Lost, Process, Waiting, hops, troubles

IDLE = Waiting(records=0, records_seconds=None, batches=0, lines=0, batches_seconds=None)
SUMS = Classes(received=10, stored=3, discarded=4, rejected=1, duplicate=1, lost=0, pending=1)
COUNTERS = {
    "receiver": {"pipeline_lines_received_total": 12.0},
    "consumer": {"pipeline_lines_planned_total": 11.0},
    "worker": {"pipeline_lines_stored_total": 3.0, "pipeline_lines_discarded_total": 4.0},
    "scheduler": {"scheduler_messages_total": 5.0},
}


def process(name: str, age: float = 0.5, **more: Any) -> Process:
    """A process that counts, each of its counters rising by 2 a second."""
    counters = COUNTERS[name]
    gauges = {WAITING: 7.0} if name == "consumer" else {}
    told: dict[str, Any] = {"last_error": None, "error_age_seconds": None, "pid": 1, "gauges": gauges} | more
    rates = dict.fromkeys(counters, 2.0)
    return Process(
        name=name,
        host="h",
        age_seconds=age,
        started_at="",
        counters=counters,
        per_second=rates,
        **told,
    )


ALL = [process(name) for name in COUNTERS]


def states(waiting: Waiting, processes: list[Process] | None) -> dict[str, str]:
    return {hop.name: hop.state for hop in hops(waiting, SUMS, processes)}


def said(
    waiting: Waiting = IDLE,
    sums: Classes = SUMS,
    lost: Lost = Lost(0, 0),  # noqa: B008 (frozen)
    processes: list[Process] | None = ALL,
    checks: dict[str, str] | None = None,
) -> list[tuple[str, str]]:
    return [(one.part, one.detail) for one in troubles(waiting, sums, lost, processes, checks or {})]


def test_all_is_well_where_everybody_speaks_and_nothing_waits() -> None:
    assert set(states(IDLE, ALL).values()) == {"ok"}
    assert said() == []


def test_each_hop_tells_what_it_did_and_does() -> None:
    found = {hop.name: hop for hop in hops(IDLE, SUMS, [*ALL, process("worker", pid=2)])}
    assert (found["receiver"].lines_total, found["receiver"].lines_per_second) == (12, 2.0)
    assert (found["consumer"].lines_total, found["consumer"].lines_per_second) == (10, 2.0)
    assert (found["workers"].lines_total, found["workers"].lines_per_second) == (9, 8.0)
    assert (found["database"].lines_total, found["database"].lines_per_second) == (3, 4.0)
    assert (found["queue"].waiting, found["queue"].waiting_unit) == (7, "messages")


def test_a_process_that_fell_silent_is_down_and_named_with_what_that_means() -> None:
    quiet = [one for one in ALL if one.name != "worker"] + [process("worker", age=4.1)]
    assert states(IDLE, quiet)["workers"] == "down"
    assert said(processes=quiet) == [("worker", "none says that it runs: what is planned is not stored")]
    assert [part for part, _ in said(processes=[])] == ["receiver", "consumer", "worker", "scheduler"]


def test_one_of_two_is_enough() -> None:
    assert states(IDLE, [*ALL, process("worker", age=9, pid=2)])["workers"] == "ok"


def test_what_waits_for_long_is_behind() -> None:
    unplanned = Waiting(records=1_200, records_seconds=12.0, batches=0, lines=0, batches_seconds=None)
    assert states(unplanned, ALL) == dict.fromkeys(states(IDLE, ALL), "ok") | {"kafka": "behind", "consumer": "behind"}
    assert said(unplanned) == [("kafka", "1,200 records not planned for 12 s")]
    pending = Waiting(records=0, records_seconds=None, batches=2, lines=3_000, batches_seconds=61.0)
    assert states(pending, ALL) == dict.fromkeys(states(IDLE, ALL), "ok") | {"queue": "behind", "workers": "behind"}
    assert said(pending) == [("queue", "2 batches (3,000 lines) not stored, the oldest for 61 s")]


def test_kafka_that_no_consumer_can_look_into_is_down() -> None:
    unseen = msgspec.structs.replace(IDLE, unseen_seconds=12.0)
    assert states(unseen, ALL) == states(IDLE, ALL) | {"kafka": "down"}
    assert said(unseen) == [("kafka", "no consumer could look into it for 12 s")]
    alone = [one for one in ALL if one.name != "consumer"]
    assert states(unseen, alone)["kafka"] == "ok"
    assert [part for part, _ in said(unseen, processes=alone)] == ["consumer"]


def test_a_queue_of_which_redis_tells_no_consumer_is_down() -> None:
    deaf = [one for one in ALL if one.name != "consumer"] + [process("consumer", gauges={WAITING: None})]
    assert states(IDLE, deaf) == states(IDLE, ALL) | {"queue": "down"}
    assert said(processes=deaf) == [("queue", "Redis does not take messages: what is planned waits in the database")]
    assert states(IDLE, [*ALL, *deaf])["queue"] == "ok"


def test_one_is_told_as_one() -> None:
    one = Waiting(records=1, records_seconds=10.0, batches=1, lines=1, batches_seconds=10.0)
    assert [detail for _, detail in said(one, lost=Lost(1, 0))] == [
        "lost in the last day: 1 line",
        "1 record not planned for 10 s",
        "1 batch (1 line) not stored, the oldest for 10 s",
    ]


def test_without_the_cache_nobody_is_said_to_be_down() -> None:
    found = states(IDLE, None)
    assert (found["receiver"], found["consumer"], found["queue"], found["workers"]) == ("unknown",) * 4
    assert said(processes=None, checks={"cache": "it does not answer"}) == [("cache", "it does not answer")]


def test_a_ledger_that_does_not_balance_comes_first() -> None:
    off = Classes(received=11, stored=3, discarded=4, rejected=1, duplicate=1, lost=0, pending=1)
    assert [part for part, _ in said(sums=off, lost=Lost(5, 3), processes=[])][:3] == ["ledger"] * 3


def test_an_error_is_news_for_a_minute() -> None:
    def failed(age: float) -> list[Process]:
        error = {"at": "2026-03-03T12:00:00Z", "error": "it broke"}
        return [*ALL, process("worker", last_error=error, error_age_seconds=age)]

    assert said(processes=failed(3.0)) == [("worker", "it broke, 3 s ago")]
    assert said(processes=failed(61.0)) == []
