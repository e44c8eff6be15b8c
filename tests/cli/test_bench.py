"""The bench: what its load sends, that it fails where a line is lost, and what its report and its picture say."""

from __future__ import annotations

import asyncio
import http.server
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from cli.bench import load, machine, rig, wall
from cli.bench.load import MARK_STATUS, Plan
from cli.bench.plot import plot
from cli.bench.report import Report
from cli.bench.rig import Rig
from cli.bench.sightings import sightings
from cli.bench.together import Through, together
from cli.bench.trial import Spread, Trial, Workload, middle
from cli.bench.wall import Wall
from pipeline import batch, grammar, schema, topic
from pipeline.errors import TallyError
from pipeline.models import LogEntry
from pipeline.settings import Settings
from pipeline.storage import Store
from tests.servers import Backend

HUNDRED = Workload(100, 0.3)
NOW = datetime(2025, 6, 10, 10, 41, 40, tzinfo=UTC)


def body(lines: int, kept: float, seed: int = 1) -> tuple[bytes, int]:
    return load.body(random.Random(seed), Plan("", lines, 1, 0, kept), NOW)


def statuses(content: bytes) -> list[int]:
    return [grammar.parse(line).status for line in msgspec.json.decode(content, type=list[str])]


@pytest.mark.parametrize(("lines", "kept"), [(100, 0.0), (100, 0.3), (1, 1.0), (1_000, 1.0)])
def test_a_body_has_its_share_of_lines_to_be_stored_and_one_of_them_first(lines: int, kept: float) -> None:
    content, stored = body(lines, kept)
    found = statuses(content)
    assert stored == len(found) - found.count(200) == lines * kept
    assert (found[0] != 200) == (stored > 0)


def test_of_single_lines_the_same_share_is_to_be_stored() -> None:
    assert sum(body(1, 0.3, seed)[1] for seed in range(1_000)) == pytest.approx(300, abs=50)


@pytest.mark.parametrize("lines", [1, 3])
def test_a_mark_takes_the_place_of_the_first_line(lines: int) -> None:
    content, _ = body(lines, 1.0)
    marked = load.marked(content, 17)
    assert msgspec.json.decode(marked)[1:] == msgspec.json.decode(content)[1:]
    first = grammar.parse(msgspec.json.decode(marked)[0])
    assert (first.path, first.status) == ("/visible/17", MARK_STATUS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty database."""
    url = f"sqlite:///{tmp_path / 'bench.db'}"
    schema.migrate(url)
    store = Store.open(url)
    yield store
    store.disconnect()


@contextmanager
def receiver(status: int) -> Iterator[str]:
    """The address of one that reads every upload, gives this answer, and forgets it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/upload"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def rig_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Rig]:
    """A rig without instruments that waits for no line."""
    monkeypatch.setattr(rig, "DRAIN_SECONDS", 0.1)
    nothing: Any = SimpleNamespace(bytes=dict, cpu_seconds=dict, megabytes=dict)
    return lambda url: Rig(url, store, nothing, nothing)


@pytest.mark.parametrize(("status", "said"), [(202, "lines are missing"), (500, "failed")])
def test_a_trial_fails_where_what_was_sent_is_lost_or_refused_for_good(
    rig_at: Callable[[str], Rig], status: int, said: str
) -> None:
    with receiver(status) as url, pytest.raises(TallyError, match=said):
        rig_at(url).trial(Workload(10, 0.3), seconds=0.2)


def test_a_paced_load_ends_in_time_where_no_connection_ever_is_free() -> None:
    plan = Plan("", 10, connections=0, seconds=0.1, rate=100.0)
    assert asyncio.run(asyncio.wait_for(load.Load(plan).run(), 10)).uploads == 0


def entry(path: str, status: int = MARK_STATUS) -> None:
    row = {"timestamp": NOW, "ip": "10.0.0.1", "method": "GET", "path": path, "status": status, "latency_ms": 1}
    LogEntry.insert(row | {"id": LogEntry.select().count() + 1}).execute()


def test_a_row_too_many_fails_the_bench(store: Store, rig_at: Callable[[str], Rig]) -> None:
    assert rig_at("").count() == 0
    store.write(lambda: entry("/"))
    with pytest.raises(TallyError, match="0 rows were to be stored, and there are 1"):
        rig_at("").count()


def test_marked_rows_are_seen_that_are_new(store: Store) -> None:
    store.write(lambda: entry("/visible/1"))
    with sightings(store) as seen:
        for number in range(2, 5):
            store.write(lambda number=number: (entry(f"/visible/{number}"), entry("/", 200)))  # type: ignore[misc]
    assert seen.keys() == {2, 3, 4}
    assert sorted(seen.values()) == [seen[number] for number in (2, 3, 4)]


def test_the_machine_knows_who_listens_and_what_that_uses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert machine.listening(server.getsockname()[1]) == [os.getpid()]
    assert machine.resident([os.getpid()]) > 10_000_000
    assert machine.cpu_seconds([os.getpid()]) > 0


def trial(rate: float, offered: float = 0.0, late: float = 50.0, workload: Workload = HUNDRED) -> Trial:
    """A trial that drained so many lines/s."""
    return Trial(
        workload=workload,
        offered=offered,
        acknowledged=offered or rate,
        drained=rate,
        rate=rate,
        waiting=0,
        batch_lines=1_000,
        refused=0,
        answered=Spread(2, 20, 40),
        visible=Spread(late, 2 * late, 3 * late) if offered else None,
        cpu_seconds={"receiver": 3.0, "kafka": 4.0},
        bytes={"http": 58.0},
        megabytes={"receiver": 120.0, "worker": 180.0},
    )


# Up to 300,000 lines/s all is drained, and past that no more.
SWEEP = [
    [trial(min(offered, 300_000), offered, 50 if offered <= 300_000 else 5_000)]
    for offered in (15_000, 150_000, 300_000, 450_000, 600_000)
]


def report(
    rates: list[float], yardstick: float = 2_500_000, sweep: list[list[Trial]] = SWEEP, soak: list[Trial] | None = None
) -> Report:
    """A load of the sweep that was tried once is taken as tried in each turn, with the same result."""
    repeats = [trial(rate) for rate in rates]
    sweep = [one * len(rates) if len(one) == 1 else one for one in sweep]
    lone = trial(1.9, 1.9, workload=Workload(1, 0.3))
    alone = {"records sent to Kafka": 1.5, "rows inserted": 2.5}
    at_once = [Through(rate, Spread(7.0, 9.0, 9.0), 4.75) for rate in (410_000.0, 200_000.0, 400_000.0)]
    walls = [Wall(HUNDRED, alone, at_once, half=Through(150_000.0, Spread(4.0, 8.0, 9.0), 9.0))]
    yardsticks = yardstick, yardstick
    return Report("a machine", 2, yardsticks, [repeats], lone, sweep, soak or [], 1_234, naive=8_000.0, walls=walls)


def rows(found: Report, name: str) -> list[list[str]]:
    """The cells of all rows of the report's tables that begin with `name`."""
    lines = [line.strip("| ").split("|") for line in found.text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in cells[1:]] for cells in lines if cells[0].strip() == name]


def test_the_report_says_median_and_spread_and_what_a_line_costs() -> None:
    found = report([300_000, 100_000, 310_000])
    rates, costs, sizes, _ = rows(found, "100-line uploads, 30% kept")
    assert rates[:4] == ["300,000", "100,000", "310,000", "0.120"]
    assert costs == ["3.00", "4.00", "7.00", "2.10"]
    assert sizes == ["58.0"]
    assert rows(found, "naive, a line at a time")[0][0] == "8,000"
    assert rows(found, "at most") == [["120", "180", "300"]]
    assert rows(found, "600,000")[0][1] == "300,000"


def test_the_wall_is_all_cores_busy_with_what_servers_and_libraries_need() -> None:
    found = report([300_000, 100_000, 310_000])
    assert rows(found, "records sent to Kafka") == [["1.50"]]
    assert rows(found, "the wall: lines/s on 2 cores") == [["500,000"]]
    assert rows(found, "drained, of the wall") == [["60%"]]
    at_once = ["400,000", "200,000", "410,000", "0.160", "75%", "4.75", "1.90", "4.0 ms", "8.0 ms"]
    assert rows(found, str(HUNDRED))[-1] == at_once


@pytest.mark.real_only
def test_each_part_of_the_wall_does_its_work(backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall, "BATCHES", 4)
    plans: list[Plan] = []

    def noted(_settings: Settings, _store: Store, plan: Plan) -> Through:
        plans.append(plan)
        return Through(float(len(plans)), Spread(4.0, 8.0, 9.0), 5.0)

    monkeypatch.setattr(wall, "together", noted)
    environment = backend.environment(DATA_DIR=str(tmp_path))
    given = Settings(**{name.lower(): value for name, value in environment.items()})
    schema.migrate(given.database_url)
    store = Store.open(given.database_url)
    store.write(lambda: entry("/"))
    found = wall.wall(given, store, HUNDRED, 60_000.0, seconds=0.5)
    assert len(found.cpu_seconds) == 6
    assert min(found.cpu_seconds.values()) > 0.01
    assert ([one.rate for one in found.at_once], found.half.rate) == ([1.0, 2.0, 3.0], 4.0)
    assert [plan.rate for plan in plans] == [0.0, 0.0, 0.0, 300.0]
    assert store.read(lambda: LogEntry.select().count()) == 4 * batch.LINES * 0.3
    store.disconnect()


@pytest.mark.real_only
def test_all_parts_at_once_bring_every_line_from_http_to_a_row(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = backend.environment(DATA_DIR=str(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    given = Settings(**{name.lower(): value for name, value in environment.items()})
    schema.migrate(given.database_url)
    topic.ensure(given)
    store = Store.open(given.database_url)
    plan = Plan("", 100, 8, 1.0, kept=0.3, seed=5)
    # What the first run left in the topic, the second does not read.
    first, second = (together(given, store, plan) for _ in range(2))
    assert min(first.rate, second.rate) > 1_000
    assert min(first.cpu_seconds, first.cores_busy) > 0.1
    rows = store.read(lambda: LogEntry.select().count())
    assert rows > 600
    assert rows % 30 == 0
    store.disconnect()


def test_of_repeats_every_number_is_the_median() -> None:
    found = middle([trial(rate, offered=9.0, late=late) for rate, late in ((1.0, 70.0), (2.0, 50.0), (3.0, 60.0))])
    assert found == trial(2.0, offered=9.0, late=60.0)
    assert middle([trial(3.0), trial(1.0)]) == trial(1.0)


def test_a_soak_says_how_much_memory_grows_an_hour() -> None:
    def minute(number: int) -> Trial:
        grown = {"receiver": 120.0 + number, "worker": 180.0}
        return msgspec.structs.replace(trial(100_000, 100_000), megabytes=grown)

    found = report([300_000], soak=[minute(number) for number in range(30)])
    assert rows(found, "30") == [["100,000", "0", "7.00", "149", "180"]]
    assert rows(found, "more an hour") == [["", "", "", "+60.0", "+0.0"]]


def test_every_row_of_a_table_is_as_long_as_its_head() -> None:
    for table in report([300_000]).text().split("\n\n")[1:]:
        assert len({len(line) for line in table.splitlines()}) == 1


@pytest.mark.parametrize(
    ("found", "missed"),
    [
        (report([300_000]), set()),
        (report([290_000]), {"drained, 100-line uploads, 30% kept"}),
        (report([150_000], yardstick=1_250_000), set()),
        (
            report([300_000], yardstick=2_500_001, sweep=[[trial(15_000, 15_000, 100)], *SWEEP[1:]]),
            {"drained, 100-line uploads, 30% kept", "visible, at a twentieth of the drained rate, p50"},
        ),
        (
            report([300_000] * 3, sweep=[*SWEEP[:-1], [trial(rate, 600_000, 5_000) for rate in (3e5, 2e5, 2e5)]]),
            {"drained at twice the knee's load, of the most"},
        ),
    ],
)
def test_targets_are_in_proportion_to_the_yardstick(found: Report, missed: set[str]) -> None:
    text = found.text().rpartition("target")[2]
    assert {line.split("|")[1].strip() for line in text.splitlines() if "**no**" in line} == missed


def test_the_report_is_the_same_after_json() -> None:
    found = report([300_000])
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found


def test_the_picture_shows_the_knee() -> None:
    root = ElementTree.fromstring(plot([one for (one,) in SWEEP], "a < b & c"))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a < b & c" in texts
    assert "600,000" in texts
    lines = [node.get("points", "") for node in root.iter("{http://www.w3.org/2000/svg}polyline")]
    drained, p50, p99 = ([tuple(map(float, point.split(","))) for point in line.split()] for line in lines[-3:])
    for line in (drained, p50, p99):
        assert [x for x, _ in line] == sorted(x for x, _ in line)
    heights = [y for _, y in drained]
    assert heights[0] > heights[1] > heights[2] == heights[3] == heights[4]
    # Until the knee it is on the line from corner to corner.
    for x, y in drained[:3]:
        assert (390 - y) / 320 == pytest.approx((x - 80) / 640, abs=0.001)
    # What is slower is higher.
    assert p50[0][1] == p50[2][1] > p50[3][1] > p99[3][1]
