"""What another rule would have stored is what a recount of every line says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from pipeline.filter import discarded
from pipeline.storage import Store
from tests.stores import Seen, put
from tests.webapi.conftest import NOW

LINES = [
    Seen(NOW - timedelta(minutes=17 * number), status=(200, 404, 301, 200, 503, 204)[number % 6])
    for number in range(90)
]
LAST_DAY = [line for line in LINES if line.at >= (NOW - timedelta(days=1)).replace(second=0, microsecond=0)]


@pytest.mark.parametrize("rule", ["", "200", "2xx", "2XX, 301", "404,5xx", "1xx", "2xx,3xx,4xx,5xx"])
def test_it_is_a_recount_of_the_last_day(api: FlaskClient, store: Store, rule: str) -> None:
    put(store, LINES)
    found = api.get("/rules/preview", query_string={"discard_status": rule}).json
    without = discarded(rule)
    assert 0 < len(LAST_DAY) < len(LINES)
    assert found["requests"] == len(LAST_DAY)
    stored, would = (sum(line.kept for line in LAST_DAY), sum(line.status not in without for line in LAST_DAY))
    assert found["present"] == {"stored": stored, "share": round(stored / len(LAST_DAY), 6)}
    assert found["proposed"] == {"stored": would, "share": round(would / len(LAST_DAY), 6)}
    for row in found["by_status"]:
        lines = [line for line in LAST_DAY if line.status == row["status"]]
        told = (row["requests"], row["stored"], row["would_be_stored"])
        kept = 0 if row["status"] in without else len(lines)
        assert told == (len(lines), sum(line.kept for line in lines), kept)
    assert found["meta"]["coverage"] == {"source": "rollups", "lines": "all", "complete": True}


def test_what_was_stored_is_told_by_the_rule_that_held_then(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(NOW, status=200), Seen(NOW, status=404, rule=frozenset({404}))])
    put(store, [Seen(NOW, status=200, rule=frozenset({404}))])
    by_status = api.get("/rules/preview?discard_status=404").json["by_status"]
    assert by_status == [
        {"status": 200, "requests": 2, "stored": 1, "would_be_stored": 2},
        {"status": 404, "requests": 1, "stored": 0, "would_be_stored": 0},
    ]


def test_an_empty_day_has_no_shares(api: FlaskClient) -> None:
    found = api.get("/rules/preview").json
    assert (found["requests"], found["proposed"], found["by_status"]) == (0, {"stored": 0, "share": 0}, [])


@pytest.mark.parametrize("rule", ["6xx", "20", "200;301", "ok", "200,,301", "!200"])
def test_what_is_no_rule_is_refused(refusing: FlaskClient, rule: str) -> None:
    answer = refusing.get("/rules/preview", query_string={"discard_status": rule})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, "discard_status")
