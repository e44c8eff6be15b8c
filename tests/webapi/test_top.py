"""`/stats/top`: a ranking, held against a recount of every line."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import entries, facts
from pipeline.moment import rfc3339
from pipeline.rollup import METHODS
from pipeline.selection import EVERYTHING
from pipeline.statistic import SCOPES
from pipeline.statistics import Question
from pipeline.storage import Store
from pipeline.window import Window
from tests.stores import Seen, empty, put
from tests.webapi.conftest import NOW
from tests.webapi.recount import Answer, asked, batches, fill, filters, is_estimated, near, percentile, windows
from webapi.questions import TopQuestion
from webapi.top import top

KEYS: dict[str, Callable[[Seen], str]] = {
    "route": lambda line: line.route,
    "path": lambda line: line.path,
    "status": lambda line: str(line.status),
    "method": lambda line: line.method if line.method in METHODS else "other",
    "ip": lambda line: line.ip,
}
_examples = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def value(sort: str, found: list[Seen]) -> float:
    """What a key's lines are ranked by."""
    errors = sum(line.status >= 400 for line in found)
    ranks = {"requests": len(found), "errors": errors, "error_rate": round(errors / len(found), 6)}
    return ranks[sort] if sort in ranks else percentile(found, 95)


def equal(told: dict[str, Any], found: list[Seen], of: int) -> None:
    """Holds what is told of some lines against them."""
    errors = sum(line.status >= 400 for line in found)
    assert (told["requests"], told["errors"]) == (len(found), errors)
    assert told["error_rate"] == (round(errors / len(found), 6) if found else 0)
    assert told["share"] == (round(len(found) / of, 6) if of else 0)


@_examples
@given(
    found=batches(),
    query=filters,
    window=windows,
    scope=st.sampled_from(SCOPES),
    by=st.sampled_from(sorted(KEYS)),
    sort=st.sampled_from(["requests", "errors", "error_rate", "p95"]),
    limit=st.integers(1, 4),
)
def test_every_ranking_equals_a_recount(
    api: FlaskClient,
    store: Store,
    found: Any,
    query: dict[str, str],
    window: list[datetime],
    scope: str,
    by: str,
    sort: str,
    limit: int,
) -> None:
    empty(store)
    lines = fill(store, found)
    said = {"by": by, "sort": sort, "limit": str(limit)}
    answer = Answer(api, "/stats/top", asked(query, window, scope) | said, lines)
    if by in ("path", "ip"):
        assert answer.meta["coverage"] == {"source": "rows", "lines": "stored", "complete": True}
    else:
        answer.of_rollups(by, *([] if by == "route" else ["class"]))
    of_key = defaultdict(list)
    for line in answer.lines:
        of_key[KEYS[by](line)].append(line)

    # Each that is named has its own numbers,
    data, other = answer.json["data"], answer.json["other"]
    assert len({told["key"] for told in data}) == len(data) == min(limit, len(of_key))
    for told in data:
        equal(told, of_key[told["key"]], len(answer.lines))
        assert near(told["p95_latency"], percentile(of_key[told["key"]], 95))

    # the greatest are named, in order,
    ranked = sorted((value(sort, of) for of in of_key.values()), reverse=True)
    for told, expected in zip(data, ranked, strict=False):
        mine = value(sort, of_key[told["key"]])
        assert mine == expected or (sort == "p95" and abs(mine - expected) <= 0.0202 * expected)

    # and the rest comes to what is left.
    named = {told["key"] for told in data}
    rest = [line for line in answer.lines if KEYS[by](line) not in named]
    equal(other, rest, len(answer.lines))
    assert other["keys"] == len(of_key) - len(data)
    if other["p95_latency"] is not None:
        assert near(other["p95_latency"], percentile(rest, 95))
    assert ("estimated" in answer.meta) == is_estimated(answer.lines)


@pytest.mark.parametrize("by", ["path", "ip"])
@pytest.mark.parametrize("sort", ["requests", "p95"])
def test_what_there_is_no_time_for_is_said(
    api: FlaskClient, store: Store, by: str, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given rows of which a query reads seven, and time for one query,
    lines = [Seen(NOW - timedelta(seconds=n), f"10.0.0.{n % 3}", path=f"/{n % 3}", latency_ms=n) for n in range(60)]
    put(store, lines)
    monkeypatch.setattr(entries, "_FIRST_PIECE", 7)
    monkeypatch.setattr(facts, "BUDGET", 0.0)
    answer = api.get("/stats/top", query_string={"by": by, "sort": sort}).json
    # the answer is about seven of sixty, and says so.
    assert answer["meta"]["coverage"] == {"source": "rows", "lines": "stored", "complete": False, "share": 0.1167}
    assert sum(told["requests"] for told in answer["data"]) == 7


def test_nothing_is_ranked_of_nothing(api: FlaskClient) -> None:
    for by in KEYS:
        answer = api.get("/stats/top", query_string={"by": by, "sort": "p95"}).json
        nothing = {"keys": 0, "requests": 0, "errors": 0, "error_rate": 0, "p95_latency": None, "share": 0}
        assert (answer["data"], answer["other"]) == ([], nothing)


def test_many_keys_with_their_latencies_need_little_memory(api: FlaskClient, store: Store) -> None:
    lines = [Seen(NOW, f"10.0.{n >> 8}.{n & 255}", latency_ms=n) for n in range(5_000)]
    put(store, lines)
    answer = api.get("/stats/top?by=ip&sort=p95&limit=1").json
    assert answer["data"][0]["requests"] == 1
    assert near(answer["data"][0]["p95_latency"], 4_999)
    assert (answer["other"]["keys"], answer["other"]["requests"]) == (4_999, 4_999)


def test_a_part_of_the_lines_is_ranked(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(NOW, f"10.0.0.{n}", path=f"/{n}", latency_ms=n) for n in range(9)])
    query = {"by": "ip", "min_latency": "2", "max_latency": "6", "ip": "!10.0.0.4", "path": "/"}
    window = {"from": rfc3339(NOW - timedelta(hours=1)), "to": rfc3339(NOW)}
    answer = api.get("/stats/top", query_string=query | window).json
    assert [told["key"] for told in answer["data"]] == [f"10.0.0.{n}" for n in (2, 3, 5, 6)]
    assert api.get("/stats/top?by=route&ip=10.0.0.1").status_code == 400


def test_rare_methods_are_other_wherever_they_are_counted(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(NOW, method=method, latency_ms=n) for n, method in enumerate(["LOCK", "PROPFIND", "GET", "LOCK"])])
    for query in ("by=method", "by=method&route=/", "by=method&sort=p95&route=/"):
        told = {
            one["key"]: (one["requests"], one["p95_latency"]) for one in api.get(f"/stats/top?{query}").json["data"]
        }
        assert told == {"other": (3, 3), "GET": (1, 2)}


def test_both_readings_are_of_the_same_rows_as_many_as_there_was_time_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, [Seen(NOW - timedelta(seconds=n), latency_ms=n) for n in range(49)])
    monkeypatch.setattr(entries, "_FIRST_PIECE", 7)
    asked = TopQuestion("ip", "requests", 5, NOW - timedelta(hours=1), NOW, None, "stored", EVERYTHING)
    window, complete = Window.of(asked.start, asked.end), set()
    for looks in range(40):
        times = chain(repeat(0.0, looks), repeat(9.0))
        question = Question(store, window, "stored", EVERYTHING, NOW, clock=lambda times=times: next(times))
        answer = store.read(lambda question=question: top(asked, question))
        (only,) = answer["data"]
        # The newest rows, of which the last took 48 ms, the one before 47 ms, and so on.
        assert only["p95_latency"] == 48 - only["requests"] + math.ceil(0.95 * only["requests"])
        assert (only["requests"] == 49) == answer["meta"]["coverage"]["complete"]
        complete.add(answer["meta"]["coverage"]["complete"])
    assert complete == {False, True}
