"""From an upload to rows and dead letters, and every question that `/logs` answers, over HTTP."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.integration.pipeline import Pipeline, Reply
from tests.records import line

# A day of this module's own, out of every statistic's range and well within what retention keeps.
DAY = (datetime.now(UTC) - timedelta(days=12)).replace(hour=0, minute=0, second=0, microsecond=0)
BAD = {
    0: ("fields", "nonsense"),
    17: ("time", line(time="2025-02-30T10:41:40Z", path="/shop/bad")),
    99: ("address", line(ip="184.116.004.244", path="/shop/bad")),
    100: ("method", line(method="get", path="/shop/bad")),
    203: ("status", line(status=600, path="/shop/bad")),
    204: ("latency", line(path="/shop/bad").removesuffix("ms")),
    250: ("path", line(path="/shop/b\0d")),
    307: ("fields", line(path="/shop/bad") + " "),
}


class Line(NamedTuple):
    """A line as it was sent, and its fields as they are to come back."""

    text: str
    at: datetime
    ip: str
    method: str
    path: str
    status: int
    latency_ms: int

    def is_(self, row: dict[str, Any]) -> bool:
        """Whether a row of `/logs` is this line, under the contract's keys."""
        return {name: value for name, value in row.items() if name not in ("id", "Route")} == {
            "Timestamp": said(self.at),
            "IP": self.ip,
            "Method": self.method,
            "Path": self.path,
            "Status": self.status,
            "LatencyMs": self.latency_ms,
        }


class Sent(NamedTuple):
    """The upload: its answer, its valid lines, and those of them that are to be stored, in their order."""

    reply: Reply
    valid: list[Line]
    stored: list[Line]


def said(at: datetime) -> str:
    """A time as the contract writes it."""
    text = f"{at:%Y-%m-%dT%H:%M:%S.%f}"
    return text.rstrip("0").rstrip(".") + "Z"


def ordinary(rng: random.Random, number: int) -> Line:
    """A line like most."""
    at = DAY + timedelta(seconds=rng.randrange(20 * 3600))
    ip = f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.7"
    method, status, latency = rng.choice(("GET", "POST", "DELETE")), rng.choice((200, 301, 404, 500)), number * 7
    path = f"/shop/{rng.choice(('Products', 'products', '50%_off', '50xyoff'))}/{number}"
    time = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return Line(line(status, path, ip, time, method, latency), at, ip, method, path, status, latency)


def rare(number: int, **fields: Any) -> Line:
    """A line that the grammar's fast form leaves to the slow one, or that a careless store would change."""
    at = DAY + timedelta(hours=21, seconds=number)
    given = {"ip": "10.9.8.7", "method": "PUT", "path": f"/rare/{number}", "status": 418, "latency": 1} | fields
    time, at = given.pop("time", f"{at:%Y-%m-%dT%H:%M:%SZ}"), given.pop("at", at)
    ip = given.pop("stored_ip", given["ip"])
    text = line(time=time, **given)
    return Line(text, at, ip, given["method"], given["path"], given["status"], given["latency"])


def rarities() -> list[Line]:
    """Lines at the edges of the grammar."""
    evening = DAY + timedelta(hours=22)
    return [
        rare(1, time=f"{evening + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00", at=evening),
        rare(2, time=f"{evening:%Y-%m-%dT%H:%M:%S}.25Z", at=evening + timedelta(milliseconds=250)),
        rare(3, time=f"{evening:%Y-%m-%dT%H:%M:%S}.000001Z", at=evening + timedelta(microseconds=1)),
        rare(4, ip="2001:DB8:0:0:0:0:0:1", stored_ip="2001:db8::1"),
        rare(5, method="PROPFINDXY", status=599, latency=2**31 - 1),
        rare(6, path="/rare/';DROP/**/TABLE/**/log_entries;--\\", status=100, latency=0),
        rare(7, path='/rare/späti/日本/🎉?q="x"&y=%27'),
        rare(8, path="/rare/" + "x" * 2042),
    ]


@pytest.fixture(scope="module")
def sent(pipeline: Pipeline) -> Sent:
    """308 lines of which 8 are bad, sent in one upload and settled."""
    rng = random.Random(4)
    valid = [ordinary(rng, number) for number in range(292)] + rarities()
    rng.shuffle(valid)
    texts = [one.text for one in valid]
    for index, (_, text) in sorted(BAD.items()):
        texts.insert(index, text)
    assert len(texts) == 308
    reply = pipeline.upload(texts)
    pipeline.settle()
    return Sent(reply, valid, [one for one in valid if one.status != 200])


def day(pipeline: Pipeline, **query: Any) -> Reply:
    """What `/logs` says of this module's day."""
    return pipeline.get("/logs", **{"from_": said(DAY), "to": said(DAY + timedelta(days=1)), "limit": 1000} | query)


def matches(reply: Reply, lines: list[Line]) -> bool:
    """Whether an answer has exactly these lines, the newest first, and says how many there are."""
    rows = reply.json["data"]
    return (
        len(rows) == reply.json["meta"]["total"] == len(lines)
        and all(one.is_(row) for one, row in zip(reversed(lines), rows, strict=True))
        and [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    )


def test_an_upload_is_answered_with_what_is_valid_and_which_lines_are_not(sent: Sent) -> None:
    assert sent.reply.status == 202
    answer = sent.reply.json
    assert (answer["message"], answer["accepted"], answer["rejected"]) == ("Logs processed", 300, 8)
    assert [error["index"] for error in answer["errors"]] == sorted(BAD)
    assert all(error["detail"] for error in answer["errors"])


def test_every_line_that_is_not_a_200_is_a_row_with_exactly_its_fields(pipeline: Pipeline, sent: Sent) -> None:
    assert 150 < len(sent.stored) < 300
    assert matches(day(pipeline), sent.stored)


def test_every_rejected_line_is_a_dead_letter_with_its_reason_and_position(pipeline: Pipeline, sent: Sent) -> None:
    wanted = {index: (reason, text.encode()) for index, (reason, text) in BAD.items()}
    found = pipeline.query("SELECT line_index, reason, payload, detail FROM dead_letter WHERE line_index IS NOT NULL")
    mine = {row[0]: (row[1], bytes(row[2])) for row in found if (row[1], bytes(row[2])) in wanted.values()}
    assert mine == wanted
    details = {error["index"]: error["detail"] for error in sent.reply.json["errors"]}
    assert {row[0]: row[3] for row in found if (row[1], bytes(row[2])) in wanted.values()} == details


@pytest.mark.parametrize("status", [301, 404, 500, 418, 200])
def test_a_status_is_looked_for(pipeline: Pipeline, sent: Sent, status: int) -> None:
    assert matches(day(pipeline, status=status), [one for one in sent.stored if one.status == status])


@pytest.mark.parametrize("method", ["POST", "post", "PoSt", "DELETE", "propfindxy"])
def test_a_method_is_looked_for_in_any_case(pipeline: Pipeline, sent: Sent, method: str) -> None:
    assert matches(day(pipeline, method=method), [one for one in sent.stored if one.method == method.upper()])


@pytest.mark.parametrize("path", ["50%_off", "%", "_", "Products", "products", "/9", "日本/🎉", "\\", "';", "shop/%"])
def test_a_path_is_looked_for_as_it_is_written(pipeline: Pipeline, sent: Sent, path: str) -> None:
    assert matches(day(pipeline, path=path), [one for one in sent.stored if path in one.path])


def test_an_address_is_looked_for_however_it_is_written(pipeline: Pipeline, sent: Sent) -> None:
    ip = sent.stored[5].ip
    assert matches(day(pipeline, ip=ip), [one for one in sent.stored if one.ip == ip])
    assert matches(day(pipeline, ip="2001:0db8::0:1"), [one for one in sent.stored if one.ip == "2001:db8::1"])


def test_filters_narrow_each_other(pipeline: Pipeline, sent: Sent) -> None:
    wanted = [one for one in sent.stored if one.status == 404 and one.method == "GET" and "Products" in one.path]
    assert wanted
    assert matches(day(pipeline, status=404, method="get", path="Products", ip=""), wanted)


def test_both_ends_of_a_window_are_in_it(pipeline: Pipeline, sent: Sent) -> None:
    times = sorted(one.at for one in sent.stored)
    first, last = times[10], times[-10]
    inside = [one for one in sent.stored if first <= one.at <= last]
    assert matches(day(pipeline, from_=said(first), to=said(last)), inside)
    # In another zone, whose plus sign was not quoted (urlencode writes a space as one);
    east = f"{first + timedelta(hours=2):%Y-%m-%dT%H:%M:%S} 02:00"
    assert matches(day(pipeline, from_=east, to=said(last)), inside)
    # and to the microsecond.
    exact = DAY + timedelta(hours=22, microseconds=1)
    assert matches(day(pipeline, from_=said(exact), to=said(exact)), [one for one in sent.stored if one.at == exact])


def test_pages_meet_without_a_gap_newest_first(pipeline: Pipeline, sent: Sent) -> None:
    pages = [day(pipeline, limit=7, offset=offset).json for offset in range(0, len(sent.stored) + 7, 7)]
    assert [tuple(page["meta"][name] for name in ("total", "total_is", "limit", "offset")) for page in pages] == [
        (len(sent.stored), "exact", 7, 7 * number) for number in range(len(pages))
    ]
    rows = [row for page in pages for row in page["data"]]
    assert rows == day(pipeline).json["data"]
    assert len(rows) == len(sent.stored)


def test_fifty_come_by_default_and_a_range_is_short_for_a_window(pipeline: Pipeline, sent: Sent) -> None:
    everything = pipeline.get("/logs").json
    assert (everything["meta"]["limit"], everything["meta"]["offset"]) == (50, 0)
    assert len(everything["data"]) == 50
    assert everything["meta"]["total"] >= len(sent.stored)
    assert pipeline.get("/logs", range="week", path="/rare/").json["meta"]["total"] == 0
    assert pipeline.get("/logs", path="/rare/").json["meta"]["total"] == len(rarities())


@pytest.mark.parametrize(
    ("page", "query", "name"),
    [
        ("/logs", "ip=1.2.3", "ip"),
        ("/logs", "ip=01.2.3.4", "ip"),
        ("/logs", "status=99", "status"),
        ("/logs", "status=4O4", "status"),
        ("/logs", "method=G-T", "method"),
        ("/logs", "path=" + "x" * 2049, "path"),
        ("/logs", "from=yesterday", "from"),
        ("/logs", "from=2025-06-10T10:41:40", "from"),
        ("/logs", "to=2025-02-30T00:00:00Z", "to"),
        ("/logs", "from=2025-06-11T00:00:00Z&to=2025-06-10T00:00:00Z", "from"),
        ("/logs", "range=month", "range"),
        ("/logs", "range=day&to=2025-06-10T00:00:00Z", "range"),
        ("/logs", "limit=0", "limit"),
        ("/logs", "limit=1001", "limit"),
        ("/logs", "limit=ten", "limit"),
        ("/logs", "offset=-1", "offset"),
        ("/logs", "Status=404", "Status"),
        ("/logs", "status=404&status=500", "status"),
        ("/stats", "type=speed", "type"),
        ("/stats", "range=year", "range"),
        ("/stats", "scope=none", "scope"),
        ("/stats", "limit=1", "limit"),
        ("/ledger", "from=now", "from"),
        ("/ledger", "type=errors", "type"),
    ],
)
def test_a_bad_parameter_is_a_400_that_names_it(pipeline: Pipeline, page: str, query: str, name: str) -> None:
    reply = pipeline.get(f"{page}?{query}")
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["status"] == 400
    assert name in reply.json["detail"]
    assert [error for error in reply.json["errors"] if name in error.values()], reply.json
