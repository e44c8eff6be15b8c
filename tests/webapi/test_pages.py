"""Pages of `/logs` and their totals, held against a look at every line."""

from __future__ import annotations

import base64
import itertools
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline import blocks, entries
from pipeline.errors import BadParameter, TooSlow
from pipeline.models import LogBlock, LogEntry
from pipeline.statistic import RANGES
from pipeline.storage import Store
from tasks import blocks as noted
from tests.stores import Seen, empty, put
from tests.webapi.conftest import NOW
from webapi import logs, totals
from webapi.parameters import logs_question

MINUTE = timedelta(minutes=1)
EDGE = NOW.replace(second=0, microsecond=0)
MICROSECOND = timedelta(microseconds=1)
# Few values, so that questions find something; times on both sides of the edges of minutes, hours, days, and of what
# housekeeping leaves of rollups.
TIMES = [
    at + around
    for at in (
        EDGE,
        EDGE - MINUTE,
        EDGE - timedelta(hours=1),
        EDGE - timedelta(days=8, hours=5),
        EDGE - timedelta(days=20),
        datetime(1970, 1, 2, tzinfo=UTC),
        datetime(2099, 12, 31, 23, 59, tzinfo=UTC),
    )
    for around in (timedelta(0), -MICROSECOND, timedelta(seconds=30), MINUTE)
]
ADDRESSES = ["10.0.0.1", "10.0.1.255", "11.0.0.0", "2001:db8::1", "2001:db9::", "::ffff:10.0.0.1", "::"]
PATHS = ["/", "/products/17", "/Products", "/é%_\\", "/a,b", '/"quoted"']
METHODS = ["GET", "POST", "PURGE"]
STATUSES = [100, 200, 404, 405, 500, 599]
LATENCIES = [0, 9, 10, 11, 999_999_999]

_lines = st.builds(
    Seen,
    st.sampled_from(TIMES),
    st.sampled_from(ADDRESSES),
    st.sampled_from(METHODS),
    st.sampled_from(PATHS),
    st.sampled_from(STATUSES),
    st.sampled_from(LATENCIES),
)
Asked = tuple[str, str, Callable[[Seen], bool]]


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


NETWORKS: dict[str, Callable[[str], bool]] = {
    "10.0.0.0/8": lambda ip: ":" not in ip and ip.startswith("10."),
    "10.0.1.0/24": lambda ip: ip == "10.0.1.255",
    "0.0.0.0/0": lambda ip: ":" not in ip,
    "::/0": lambda ip: ":" in ip,
    "2001:db8::/31": lambda ip: ip.startswith("2001:db"),
    "2001:DB8:0::1": lambda ip: ip == "2001:db8::1",
    "10.0.0.1": lambda ip: ip == "10.0.0.1",
}
CLASSES = {"404": [404], "5xx": range(500, 600), "200": [200], "1xx": range(100, 200), "418": [418]}
ROUTES = {"/": "/", "/products/17": "/products/{id}", "/Products": "/Products"}


def _listed(name: str, values: Sequence[str], holds: Callable[[str, Seen], bool]) -> st.SearchStrategy[Asked]:
    """A list of values for a parameter, negated or not."""

    def question(chosen: list[str], negated: bool) -> Asked:
        text = ("!" if negated else "") + ",".join(chosen)
        return name, text, lambda line: any(holds(value, line) for value in chosen) != negated

    return st.builds(question, st.lists(st.sampled_from(values), min_size=1, max_size=3), st.booleans())


_filters = st.one_of(
    _listed("status", list(CLASSES), lambda text, line: line.status in CLASSES[text]),
    _listed("method", ["get", "POST", "PURGE", "HEAD"], lambda text, line: line.method == text.upper()),
    _listed("ip", list(NETWORKS), lambda text, line: NETWORKS[text](line.ip)),
    _listed(
        "route",
        ["/", "/products/{id}", "/Products", "/nobody"],
        lambda text, line: ROUTES.get(line.path) == text,
    ),
    st.sampled_from(["p", "/P", "%", "_", "\\", "é", ",", "duct", "zzz", '"']).map(
        lambda text: ("path", text, lambda line: text in line.path)
    ),
    st.sampled_from([0, 10, 999_999_999]).map(
        lambda least: ("min_latency", str(least), lambda line: line.latency_ms >= least)
    ),
    st.sampled_from([0, 10, 999_999_999]).map(
        lambda most: ("max_latency", str(most), lambda line: line.latency_ms <= most)
    ),
    st.sampled_from(
        [
            ("q", "-status:404 latency:>9", lambda line: line.status != 404 and line.latency_ms > 9),
            ("q", "status:4xx -ip:10.0.0.0/8", lambda line: 400 <= line.status < 500 and not line.ip.startswith("10.")),
            ("q", '-path:"/a,b" -path:é', lambda line: "/a,b" not in line.path and "é" not in line.path),
            ("q", "-route:/ latency:9..11", lambda line: line.path != "/" and 9 <= line.latency_ms <= 11),
        ]
    ),
)


def _from(at: datetime) -> Asked:
    return "from", f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", lambda line: line.at >= at


def _to(at: datetime) -> Asked:
    return "to", f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", lambda line: line.at <= at


def _range(name: str) -> Asked:
    return "range", name, lambda line: NOW - RANGES[name] <= line.at <= NOW


_windows: st.SearchStrategy[list[Asked]] = st.one_of(
    st.just([]),
    st.sampled_from(list(RANGES)).map(lambda name: [_range(name)]),
    st.sampled_from(TIMES).map(lambda at: [_from(at)]),
    st.sampled_from(TIMES).map(lambda at: [_to(at)]),
    st.tuples(st.sampled_from(TIMES), st.sampled_from(TIMES)).map(lambda ends: [_from(min(ends)), _to(max(ends))]),
)


def _has_lines(question: list[Asked]) -> bool:
    """Whether it is no contradiction, which is refused."""
    try:
        logs_question([(name, text) for name, text, _ in question], NOW)
    except BadParameter:
        return False
    return True


_questions: st.SearchStrategy[list[Asked]] = (
    st.tuples(st.lists(_filters, max_size=3, unique_by=lambda asked: asked[0]), _windows)
    .map(lambda both: [*both[0], *both[1]])
    .filter(_has_lines)
)


def told(line: Any) -> tuple[Any, ...]:
    """What identifies a line of an answer."""
    return tuple(line[name] for name in ("Timestamp", "IP", "Method", "Path", "Status", "LatencyMs"))


def naive(stored: Sequence[Seen], question: Sequence[Asked]) -> list[tuple[Any, ...]]:
    """The answer by looking at every line, newest first."""
    found = [line for line in reversed(stored) if line.kept and all(holds(line) for _, _, holds in question)]
    return [(logs.rfc3339(line.at), line.ip, line.method, line.path, line.status, line.latency_ms) for line in found]


class Answers:
    """The pages of a question, followed as a client does."""

    def __init__(self, api: FlaskClient, question: Sequence[Asked]) -> None:
        self._api = api
        self._query = [(name, text) for name, text, _ in question]

    def ask(self, *more: tuple[str, Any]) -> Any:
        """One page."""
        answer = self._api.get("/logs?" + urlencode([*self._query, *more]))
        assert answer.status_code == 200, answer.text
        return answer.json

    def by_offset(self, limit: int) -> Iterator[Any]:
        """Pages until one is empty."""
        for offset in itertools.count(0, limit):
            page = self.ask(("limit", limit), ("offset", offset))
            yield page
            if not page["data"]:
                return

    def by_cursor(self, limit: int) -> Iterator[Any]:
        """Pages until none is named; each `Link` leads where `meta.next` does."""
        address = "/logs?" + urlencode([*self._query, ("limit", limit)])
        for _ in range(10_000):
            answer = self._api.get(address)
            assert answer.status_code == 200, answer.text
            page: Any = answer.json
            yield page
            if page["meta"]["next"] is None:
                assert "Link" not in answer.headers
                return
            link, _, relation = answer.headers["Link"].partition("; ")
            assert relation == 'rel="next"'
            address = link[1:-1]
            assert f"cursor={page['meta']['next']}" in address
        raise AssertionError("the pages never end")


def agrees(page: Any, expected: list[tuple[Any, ...]]) -> None:
    """Whether a total is right where it is said to be exact, and never too great."""
    meta = page["meta"]
    if meta["total_is"] == "exact":
        assert meta["total"] == len(expected)
    else:
        assert meta["total_is"] == "at_least"
        assert len(page["data"]) <= meta["total"] <= len(expected)


class Ticks:
    """A clock that moves on by a step each time it is asked."""

    def __init__(self, step: float) -> None:
        self._at, self._step = 0.0, step

    def __call__(self) -> float:
        self._at += self._step
        return self._at


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    """Blocks, pieces and gaps of a few ids."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (blocks, noted):
            patched.setattr(module, "BLOCK", 8)
        patched.setattr(entries, "_FIRST_PIECE", 3)
        patched.setattr(entries, "_SMALLEST_PIECE", 1)
        patched.setattr(entries, "_NEAR", 2)
        yield


_example = hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_example
@given(
    batches=st.lists(st.lists(_lines, min_size=1, max_size=12), max_size=5),
    questions=st.lists(_questions, min_size=1, max_size=4),
    limit=st.integers(1, 7),
)
def test_pages_and_totals_are_those_of_a_recount(
    api: FlaskClient, store: Store, batches: list[list[Seen]], questions: list[list[Asked]], limit: int
) -> None:
    empty(store)
    for batch in batches:
        put(store, batch)
    stored = [line for batch in batches for line in batch]
    for question in questions:
        expected = naive(stored, question)
        answers = Answers(api, question)
        for pages in (list(answers.by_cursor(limit)), list(answers.by_offset(limit))):
            assert [told(line) for page in pages for line in page["data"]] == expected, question
            for page in pages:
                agrees(page, expected)
        first = answers.ask(("limit", limit))
        assert first["meta"]["total_is"] == "exact"
        assert first["meta"]["coverage"]["complete"]


@_example
@given(
    batches=st.lists(st.lists(_lines, min_size=1, max_size=12), min_size=1, max_size=5),
    question=_questions,
    limit=st.integers(1, 7),
    step=st.sampled_from([0.03, 0.2, 0.6, 1.1]),
)
def test_a_scan_that_ends_early_is_gone_on_with_and_finds_each_line_once(
    store: Store, batches: list[list[Seen]], question: list[Asked], limit: int, step: float
) -> None:
    empty(store)
    for batch in batches:
        put(store, batch)
    expected = naive([line for batch in batches for line in batch], question)
    asked = logs_question([*((name, text) for name, text, _ in question), ("limit", str(limit))], NOW)
    found: list[Any] = []
    for _ in range(10_000):
        page = logs.page(store, asked, NOW, Ticks(step))
        found += page.lines
        assert page.total == len(expected) if page.exact else len(page.lines) <= page.total <= len(expected)
        assert (page.share == 1.0) if page.before is None else 0 <= page.share <= 1
        if page.before is None:
            break
        assert asked.before is None or page.before < asked.before
        asked = msgspec.structs.replace(asked, before=page.before)
    assert [told(line) for line in found] == expected


@_example
@given(
    batches=st.lists(st.lists(_lines, min_size=1, max_size=12), min_size=1, max_size=4),
    questions=st.lists(_questions, min_size=1, max_size=4),
    pruned=st.sampled_from(TIMES),
)
def test_totals_are_right_where_rollups_know_more_than_rows(
    api: FlaskClient, store: Store, batches: list[list[Seen]], questions: list[list[Asked]], pruned: datetime
) -> None:
    empty(store)
    for batch in batches:
        put(store, batch)
    end = pruned.replace(second=0, microsecond=0)

    def prune() -> None:
        LogEntry.delete().where(LogEntry.timestamp < end).execute()
        LogBlock.delete().where(LogBlock.minute < int(end.timestamp())).execute()

    store.write(prune)
    left = [line for batch in batches for line in batch if line.at >= end]
    for question in questions:
        expected = naive(left, question)
        page = Answers(api, question).ask(("limit", 5))
        assert [told(line) for line in page["data"]] == expected[:5]
        assert (page["meta"]["total"], page["meta"]["total_is"]) == (len(expected), "exact")


def test_an_offset_that_cannot_be_reached_in_time_says_what_else_there_is(
    api: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, [Seen(NOW, path=f"/{n}") for n in range(60)])
    asked = logs_question([("path", "/"), ("offset", "50")], NOW)
    with pytest.raises(TooSlow):
        logs.page(store, asked, NOW, Ticks(0.6))
    monkeypatch.setattr(logs, "BUDGET", -1.0)
    monkeypatch.setattr(totals, "BUDGET", -1.0)
    answer = api.get("/logs?path=/&offset=50")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.headers["Retry-After"]
    assert "narrow" in answer.json["detail"]


def test_an_offset_past_the_end_costs_no_scan(store: Store) -> None:
    put(store, [Seen(NOW) for _ in range(60)])
    page = logs.page(store, logs_question([("offset", "999999999999999999")], NOW), NOW, Ticks(10.0))
    assert (page.lines, page.total, page.exact, page.before) == ([], 60, True, None)


def test_a_deep_offset_into_every_line_leaves_out_whole_blocks(store: Store) -> None:
    put(store, [Seen(NOW, path=f"/{n}") for n in range(200)])
    for offset in (0, 1, 7, 8, 150, 190, 199):
        page = logs.page(store, logs_question([("offset", str(offset)), ("limit", "2")], NOW), NOW, Ticks(0.02))
        assert [line["Path"] for line in page.lines] == [
            f"/{n}" for n in range(199 - offset, max(197 - offset, -1), -1)
        ]
        assert (page.total, page.exact) == (200, True)


def test_a_page_by_cursor_counts_no_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, [Seen(NOW, path=f"/{n}") for n in range(60)])
    asked = logs_question([("path", "/"), ("limit", "10")], NOW)
    first = logs.page(store, asked, NOW)
    assert (first.total, first.exact) == (60, True)
    counted: list[str] = []
    execute = store.database.execute_sql

    def watch(sql: str, *arguments: Any) -> Any:
        counted.append(sql)
        return execute(sql, *arguments)

    monkeypatch.setattr(store.database, "execute_sql", watch)
    second = logs.page(store, msgspec.structs.replace(asked, before=first.before), NOW)
    assert len(second.lines) == 10
    assert not any("COUNT" in sql for sql in counted)
    assert not second.exact


def test_a_line_is_found_by_its_id(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(NOW, path="/a"), Seen(NOW, path="/b")])
    for line in api.get("/logs").json["data"]:
        assert api.get(f"/logs/{line['id']}").json == {"data": line}
    for unknown in ("999999999", "0", "01", "-1", "x", "9" * 30, "%00", "1%20or%201=1"):
        answer = api.get(f"/logs/{unknown}")
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), unknown
    assert api.get("/logs/1?status=404").status_code == 400


HOSTILE = [
    ("path", "' OR 1=1 --"),
    ("path", "/\\' OR ''='"),
    ("path", "%' OR '%'='"),
    ("path", '"; DROP TABLE log_entries; --'),
    ("path", "{0}%s?%(x)s"),
    ("route", "/' OR 1=1"),
    ("q", 'path:"\' OR 1=1"'),
    ("q", "%%%___"),
]


@pytest.mark.parametrize("asked", HOSTILE)
def test_what_looks_like_sql_is_text(api: FlaskClient, store: Store, asked: tuple[str, str]) -> None:
    put(store, [Seen(NOW, path="/a"), Seen(NOW, path="/b%_")])
    answer = api.get("/logs?" + urlencode([asked]))
    assert answer.status_code == 400 or answer.json["data"] == [], asked
    assert len(api.get("/logs").json["data"]) == 2


def test_as_many_filters_as_there_may_be_are_answered(
    api: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "_FIRST_PIECE", 1024)
    put(store, [Seen(NOW, f"10.0.{n}.1", path=f"/{n}", status=400 + n) for n in range(99)])
    networks = ",".join(f"11.{n}.0.0/17" for n in range(100))
    more = " ".join(f"-ip:{','.join(f'12.{n}.{m}.0/25' for m in range(1, 4))}" for n in range(20, 50))
    statuses = ",".join(str(status) for status in range(100, 300, 2))
    routes = ",".join(f"/r{n}" for n in range(100))
    paths = " ".join(f"-/x{n}" for n in range(50))
    for question in (
        [("ip", f"!{networks}"), ("q", more[:2000].rpartition(" ")[0])],
        [("status", f"!{statuses}")],
        [("route", f"!{routes}"), ("q", paths)],
        [("method", "!" + ",".join("A" * n for n in range(1, 11)))],
    ):
        answer = api.get("/logs?" + urlencode(question))
        assert answer.status_code == 200, (question, answer.text)
        assert answer.json["meta"]["total"] == 99
    too_many = ",".join(["404"] * 101)
    assert api.get(f"/logs?status={too_many}").json["errors"][0]["pointer"] == "status"
    assert api.get("/logs?" + urlencode({"q": " ".join(["/x"] * 51)})).json["errors"][0]["pointer"] == "q"
    assert api.get("/logs?" + "&".join(f"a{n}=1" for n in range(2000))).status_code == 400


def test_a_cursor_that_is_broken_or_another_querys_is_refused(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(NOW, path=f"/{n}", status=404 + n % 2) for n in range(20)])
    following = api.get("/logs?status=404&limit=3").json["meta"]["next"]
    assert api.get(f"/logs?status=404&limit=5&cursor={following}").status_code == 200
    for query in (
        f"status=405&cursor={following}",
        f"cursor={following}",
        f"status=404&range=day&cursor={following}",
        f"status=404&cursor={following[:-2]}",
        f"status=404&cursor={following}AA",
        f"status=404&offset=3&cursor={following}",
        "cursor=" + quote("' OR 1=1"),
        "cursor=" + "A" * 5000,
        "cursor=" + base64.urlsafe_b64encode(msgspec.msgpack.encode([2**64 - 1, None, b"12345678"])).decode(),
    ):
        answer = api.get(f"/logs?{query}")
        assert answer.status_code == 400, query
        assert [error["pointer"] for error in answer.json["errors"]] == ["cursor"], query


def test_a_query_over_its_limit_ends_as_a_problem_that_says_what_to_narrow(
    api: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: Any) -> Any:
        raise TooSlow(5.0)

    monkeypatch.setattr(Store, "read", slow)
    for page in ("/logs", "/logs/1", "/logs/export", "/logs/tail"):
        answer = api.get(page)
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json"), page
        assert "narrow from and to" in answer.json["detail"]


def test_the_database_ends_a_query_that_takes_too_long(database: str) -> None:
    hurried = Store.open(database, 0.2)
    heavy = "SELECT COUNT(*) FROM log_entries a, log_entries b, log_entries c, log_entries d"
    empty(hurried)
    put(hurried, [Seen(NOW) for _ in range(300)])
    begun = time.monotonic()
    with pytest.raises(TooSlow):
        hurried.read(lambda: hurried.execute(heavy).fetchall())
    assert time.monotonic() - begun < 3
    assert hurried.read(lambda: LogEntry.select().count()) == 300
    hurried.disconnect()
