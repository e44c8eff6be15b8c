"""`/stats/series`: every step of a window, held against a recount of every line."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.moment import rfc3339
from pipeline.statistic import SCOPES
from pipeline.storage import Store
from tests.servers import Backend
from tests.stores import Seen, agree, empty, floor, put, recount
from tests.webapi.conftest import NOW
from tests.webapi.recount import DAY, Answer, asked, batches, fill, filters, is_counted, is_estimated, windows

_METRICS = st.sampled_from(
    [("requests", ""), ("requests", "class"), ("errors", ""), ("errors", "class"), ("latency", "")]
)
_STEPS = (1, 5, 15, 60, 90, 24 * 60, 36 * 60, 7 * 24 * 60)

_examples = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def point(metric: str, by: str, found: list[Seen]) -> dict[str, Any]:
    """What a step's lines come to."""
    classes = Counter(f"{line.status // 100}xx" for line in found)
    errors = classes["4xx"] + classes["5xx"]
    if metric == "latency":
        every = [line._replace(rule=frozenset()) for line in found]
        return recount(every, "latency", *_ends(every), "stored")
    if by:
        names = ("1xx", "2xx", "3xx", "4xx", "5xx") if metric == "requests" else ("4xx", "5xx")
        return {name: classes[name] for name in names}
    if metric == "requests":
        return {"requests": len(found)}
    rate = round(errors / len(found), 6) if found else 0
    return {"errors": errors, "requests": len(found), "error_rate": rate}


def _ends(found: list[Seen]) -> tuple[datetime, datetime]:
    times = [line.at for line in found] or [NOW]
    return min(times), max(times)


@_examples
@given(
    found=batches(),
    query=filters,
    window=windows,
    scope=st.sampled_from(SCOPES),
    metric=_METRICS,
    step=st.sampled_from(_STEPS),
)
def test_every_point_equals_a_recount(
    api: FlaskClient,
    store: Store,
    found: Any,
    query: dict[str, str],
    window: list[datetime],
    scope: str,
    metric: tuple[str, str],
    step: int,
) -> None:
    empty(store)
    lines = fill(store, found)
    length = next(one for one in _STEPS if one >= step and (window[1] - window[0]) / timedelta(minutes=one) < 1998)
    said = {"metric": metric[0], "by": metric[1], "step": f"{length}m"}
    answer = Answer(api, "/stats/series", asked(query, window, scope) | said, lines)
    seconds, points = 60 * length, answer.json["data"]

    # Every step is there, in order, from the first that the window touches to the last.
    start, stop = floor(window[0], seconds), floor(window[1], seconds)
    number = (stop - start) // timedelta(seconds=seconds) + 1
    steps = [start + n * timedelta(seconds=seconds) for n in range(number)]
    assert [one["time"] for one in points] == list(map(rfc3339, steps))
    assert (answer.start, answer.stop) == (start, stop + timedelta(seconds=seconds, microseconds=-1))
    assert (answer.json["metric"], answer.json["step_seconds"]) == (metric[0], seconds)
    assert answer.meta.get("rounded_to_seconds") in (
        {None} if list(window) == [answer.start, answer.stop] else {seconds}
    )

    of_step: dict[datetime, list[Seen]] = {one: [] for one in steps}
    for line in answer.lines:
        of_step[floor(line.at, seconds)].append(line)
    for one, told in zip(steps, points, strict=True):
        agree({name: value for name, value in told.items() if name != "time"}, point(*metric, of_step[one]))
    assert ("estimated" in answer.meta) == (metric[0] == "latency" and is_estimated(answer.lines))

    # Wide steps are counted already; narrow ones of long ago are not any more.
    coverage = answer.meta["coverage"]
    assert coverage["complete"]
    if length in (60, 24 * 60, 7 * 24 * 60) and NOW - start < 90 * DAY:
        assert (coverage["source"] == "rollups") == is_counted(query, *(["class"] if metric[0] != "latency" else []))


@pytest.mark.parametrize("age", [0, 10, 110])
@pytest.mark.parametrize("step", ["90m", "36h"])
def test_a_step_that_no_wide_bucket_divides_is_counted_from_rows_once_the_narrow_ones_are_gone(
    api: FlaskClient, store: Store, age: int, step: str
) -> None:
    at = NOW - age * DAY
    put(store, [Seen(at - timedelta(minutes=10))] * 3)
    window = {"from": rfc3339(at - timedelta(hours=1)), "to": rfc3339(at)}
    answer = api.get("/stats/series", query_string=window | {"step": step}).json
    assert sum(one["requests"] for one in answer["data"]) == 3
    gone = age > 100 or (age > 9 and step == "90m")
    assert answer["meta"]["coverage"]["source"] == ("rows" if gone else "rollups")


def test_as_many_points_as_there_may_be_and_no_more(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(NOW)])
    start = floor(NOW, 60) - timedelta(minutes=1999)
    most = api.get("/stats/series", query_string={"from": rfc3339(start), "to": rfc3339(NOW), "step": "1m"})
    assert [one["requests"] for one in most.json["data"]] == [0] * 1999 + [1]
    more = {"from": rfc3339(start - timedelta(microseconds=1)), "to": rfc3339(NOW), "step": "1m"}
    assert api.get("/stats/series", query_string=more).json["errors"][0]["pointer"] == "step"


def test_latencies_by_class_are_refused(api: FlaskClient) -> None:
    answer = api.get("/stats/series?metric=latency&by=class")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, "by")


def test_the_first_moment_there_is(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(datetime.fromisoformat("1970-01-01T00:00:00Z"))])
    window = {"from": "1960-01-01T00:00:00Z", "to": "1970-01-01T00:00:59Z", "step": "1m"}
    answer = api.get("/stats/series", query_string=window).json
    assert answer["data"] == [{"time": "1970-01-01T00:00:00Z", "requests": 1}]


def test_what_people_watch_move_is_kept_for_a_second_however_long_it_took(
    api: FlaskClient, store: Store, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapi.stats._KEPT_TIMES", 1_000_000)
    put(store, [Seen(NOW)])
    assert api.get("/stats/series?range=hour").json["data"]
    with redis.Redis.from_url(backend.cache_url) as client:
        (left,) = map(client.pttl, client.scan_iter("*SeriesQuestion:*"))
    assert left <= 1_000


def test_a_series_of_a_range_is_kept_for_some_seconds(api: FlaskClient, store: Store) -> None:
    first = api.get("/stats/series?range=day").json
    put(store, [Seen(NOW)])
    assert api.get("/stats/series?range=day").json == first
    assert sum(one["requests"] for one in api.get("/stats/series?range=day&status=4xx").json["data"]) == 1
