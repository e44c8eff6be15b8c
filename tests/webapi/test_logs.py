"""`/logs`: the contract, to the letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from pipeline.statistic import RANGES
from pipeline.storage import Store
from tests.stores import Seen, put
from tests.webapi.conftest import NOW

AT = datetime(2025, 6, 10, 10, 41, 40, tzinfo=UTC)


def paths(api: FlaskClient, query: str = "") -> list[str]:
    """The paths of the lines that a query finds, as they come."""
    answer = api.get(f"/logs?{query}")
    assert answer.status_code == 200, answer.text
    return [line["Path"] for line in answer.json["data"]]


def test_a_line_has_the_contracts_fields(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(AT, "184.116.4.244", "POST", "/products", 500, 971)])
    answer = api.get("/logs")
    assert answer.content_type == "application/json"
    (line,) = answer.json["data"]
    assert line == {
        "id": line["id"],
        "Timestamp": "2025-06-10T10:41:40Z",
        "IP": "184.116.4.244",
        "Method": "POST",
        "Path": "/products",
        "Status": 500,
        "LatencyMs": 971,
        "Route": "/products",
    }
    meta = answer.json["meta"]
    assert meta == {"total": 1, "total_is": "exact", "limit": 50, "offset": 0, "next": None} | {
        "coverage": {"source": "rows", "lines": "stored", "complete": True, "share": 1.0}
    }


def test_a_fraction_is_said_only_where_there_is_one(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(AT), Seen(AT + timedelta(milliseconds=250)), Seen(AT + timedelta(microseconds=7))])
    stamps = [line["Timestamp"] for line in api.get("/logs").json["data"]]
    assert stamps == ["2025-06-10T10:41:40.000007Z", "2025-06-10T10:41:40.25Z", "2025-06-10T10:41:40Z"]


def test_pages_are_newest_first_and_meet(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(AT, path=f"/{number}") for number in range(120)])
    whole = paths(api, "limit=1000")
    assert whole == [f"/{number}" for number in reversed(range(120))]
    assert paths(api) == whole[:50]
    assert paths(api, "limit=50&offset=50") + paths(api, "limit=50&offset=100") == whole[50:]
    assert paths(api, "offset=120") == []
    assert paths(api, "offset=999999999999999999") == []
    answer = api.get("/logs?limit=7&offset=3").json
    assert {name: answer["meta"][name] for name in ("total", "total_is", "limit", "offset")} == {
        "total": 120,
        "total_is": "exact",
        "limit": 7,
        "offset": 3,
    }


FOUND: list[tuple[str, list[str]]] = [
    ("", ["/v6", "/Mixed", "/50%_\\off", "/50x", "/é😀", "/products"]),
    ("ip=184.116.4.244", ["/products"]),
    ("ip=2001:DB8:0::1", ["/v6"]),
    ("ip=10.0.0.99", []),
    ("status=500", ["/products"]),
    ("status=200", []),
    ("method=post", ["/products"]),
    ("method=PoSt", ["/products"]),
    ("method=GETX", []),
    ("path=roduct", ["/products"]),
    ("path=mixed", []),
    ("path=Mixed", ["/Mixed"]),
    ("path=%25", ["/50%_\\off"]),
    ("path=_", ["/50%_\\off"]),
    ("path=%5C", ["/50%_\\off"]),
    ("path=%C3%A9", ["/é😀"]),
    ("path=e", ["/Mixed"]),
    ("path=%F0%9F%98%80", ["/é😀"]),
    ("path=%FF", []),
    ("path=%00", []),
    ("path=%27%20OR%201=1", []),
    ("status=404&method=GET&path=50", ["/50%_\\off", "/50x"]),
    ("from=2025-06-10T10:41:44Z", ["/v6", "/Mixed"]),
    ("to=2025-06-10T10:41:41Z", ["/é😀", "/products"]),
    ("from=2025-06-10T12:41:41+02:00&to=2025-06-10T12:41:42+02:00", ["/50x", "/é😀"]),
    ("from=2025-06-10T12:41:41%2B02:00&to=2025-06-10T12:41:42%2B02:00", ["/50x", "/é😀"]),
    ("from=2025-06-10T10:41:40.000001Z&to=2025-06-10T10:41:40.999999Z", []),
    (
        "status=&ip=&method=&path=&from=&to=&range=&limit=&offset=",
        ["/v6", "/Mixed", "/50%_\\off", "/50x", "/é😀", "/products"],
    ),
    ("_=1741000000&_=2&status=500", ["/products"]),
    ("range=week", []),
]


def test_filters(api: FlaskClient, store: Store) -> None:
    every = [
        Seen(AT, "184.116.4.244", "POST", "/products", 500, 971),
        Seen(AT + timedelta(seconds=1), path="/é😀"),
        Seen(AT + timedelta(seconds=2), path="/50x"),
        Seen(AT + timedelta(seconds=3), path="/50%_\\off"),
        Seen(AT + timedelta(seconds=4), path="/Mixed"),
        Seen(AT + timedelta(seconds=5), path="/v6", ip="2001:db8::1"),
    ]
    put(store, every)
    for query, expected in FOUND:
        assert paths(api, query) == expected, query
        assert api.get(f"/logs?{query}").json["meta"]["total"] == len(expected), query


def test_a_range_is_a_window_that_ends_now_both_ends_included(api: FlaskClient, store: Store) -> None:
    microsecond = timedelta(microseconds=1)
    lines = [Seen(NOW, path="/now"), Seen(NOW + microsecond, path="/later")]
    for name, length in RANGES.items():
        lines += [Seen(NOW - length, path=f"/{name}"), Seen(NOW - length - microsecond, path=f"/before-{name}")]
    put(store, lines)
    names = list(RANGES)
    for number, name in enumerate(names):
        shorter = [path for one in reversed(names[:number]) for path in (f"/before-{one}", f"/{one}")]
        assert paths(api, f"range={name}") == [f"/{name}", *shorter, "/now"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("ip=1.2.3", "ip"),
        ("ip=01.2.3.4", "ip"),
        ("ip=fe80::1%25eth0", "ip"),
        ("ip=a%00b", "ip"),
        ("status=99", "status"),
        ("status=600", "status"),
        ("status=4x", "status"),
        ("status=%D9%A4%D9%A0%D9%A4", "status"),
        ("method=G3T", "method"),
        ("method=ABCDEFGHIJK", "method"),
        (f"path={'x' * 2049}", "path"),
        ("range=fortnight", "range"),
        ("range=Hour", "range"),
        ("range=hour&from=2025-06-10T10:41:40Z", "range"),
        ("range=hour&to=2025-06-10T10:41:40Z", "range"),
        ("from=yesterday", "from"),
        ("to=2025-06-10", "to"),
        ("from=2025-06-10T10:41:41Z&to=2025-06-10T10:41:40Z", "from"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("offset=-1", "offset"),
        ("offset=1e3", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("statuss=404", "statuss"),
        ("status=404&status=500", "status"),
        ("status=404&status=404", "status"),
        ("status=&status=", "status"),
        ("sort=", "sort"),
    ],
)
def test_a_bad_parameter_is_named(refusing: FlaskClient, query: str, name: str) -> None:
    answer = refusing.get(f"/logs?{query}")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    problem: Any = answer.json
    assert (problem["status"], problem["title"], problem["instance"]) == (400, "Bad Request", "/logs")
    assert problem["detail"].startswith(f"{name}: ")
    assert [error["pointer"] for error in problem["errors"]] == [name]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
