"""`/logs/tail`: lines as they come, each once and in order, through a server as it is deployed."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from cli.child import Child, wait_until
from cli.events import Event, Events
from pipeline import schema
from pipeline.models import LogEntry
from pipeline.storage import Store
from tests.conftest import Launch
from tests.servers import Backend
from tests.stores import Seen, put
from webapi import streams, tail
from webapi.parameters import tail_question
from webapi.streams import Places, Streams
from webapi.tail import Tail

AT = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def entry(store: Store, id: int, path: str = "/", status: int = 404) -> None:
    """Inserts a line under an id of one's own choice: as if its transaction had taken the id earlier."""
    row = {"id": id, "timestamp": AT, "ip": "10.0.0.1", "method": "GET", "path": path}

    def work() -> None:
        LogEntry.insert(row | {"status": status, "latency_ms": 1}).execute()
        if store.is_mysql:
            store.execute("UPDATE log_id SET next = GREATEST(next, %s)", (id + 1,))

    store.write(work)


def highest(store: Store) -> int:
    """The last id."""
    return store.read(lambda: int(LogEntry.select(tail.fn.MAX(LogEntry.id)).scalar() or 0))


def following(store: Store, clock: Callable[[], float], query: str = "", last: int | None = None) -> Tail:
    """A reader's view."""
    pairs = [tuple(part.split("=")) for part in query.split("&") if part]
    return Tail(store, tail_question(pairs, None if last is None else str(last)), clock)  # type: ignore[arg-type]


def ids(tail: Tail) -> list[int]:
    """What one look tells."""
    return [line["id"] for line in tail.look().lines]


def test_each_line_is_told_once_and_in_order(store: Store) -> None:
    put(store, [Seen(AT)])
    view = following(store, Clock())
    assert ids(view) == []
    put(store, [Seen(AT, path="/a"), Seen(AT, path="/b")])
    put(store, [Seen(AT, path="/c")])
    assert [line["Path"] for line in view.look().lines] == ["/a", "/b", "/c"]
    assert ids(view) == []


def test_a_line_that_commits_late_is_told_in_its_place(store: Store) -> None:
    put(store, [Seen(AT)])
    clock = Clock()
    view, first = following(store, clock), highest(store) + 1
    entry(store, first)
    entry(store, first + 2)
    assert ids(view) == [first]
    clock.now = 5.0
    assert ids(view) == []
    entry(store, first + 3)
    entry(store, first + 1)
    assert ids(view) == [first + 1, first + 2, first + 3]


def test_an_id_that_was_rolled_back_holds_lines_up_for_a_while_only(store: Store) -> None:
    put(store, [Seen(AT)])
    clock = Clock()
    view, first = following(store, clock), highest(store) + 1
    entry(store, first + 1)
    assert ids(view) == []
    clock.now = tail.SETTLED_SECONDS / 2
    entry(store, first + 3)
    assert ids(view) == []
    clock.now = tail.SETTLED_SECONDS
    assert ids(view) == [first + 1]
    clock.now = tail.SETTLED_SECONDS * 1.5
    assert ids(view) == [first + 3]


def test_a_reader_resumes_without_gap_or_repeat_wherever_it_broke_off(store: Store) -> None:
    put(store, [Seen(AT)])
    view, first = following(store, Clock()), highest(store) + 1
    seen: list[int] = []
    for id in (first, first + 2, first + 1, first + 4, first + 5, first + 3):
        entry(store, id)
        told = ids(view)[:1]
        seen += told
        view = following(store, Clock(), last=seen[-1])
    while told := ids(view)[:1]:
        seen += told
        view = following(store, Clock(), last=seen[-1])
    assert seen == list(range(first, first + 6))


def test_an_id_from_another_database_is_taken_for_the_last(store: Store) -> None:
    put(store, [Seen(AT)])
    view = following(store, Clock(), last=2**63 - 1)
    assert ids(view) == []
    put(store, [Seen(AT)])
    assert ids(view) == [highest(store)]


def test_only_lines_that_match_are_told_and_the_place_moves_on(store: Store) -> None:
    put(store, [Seen(AT)])
    view = following(store, Clock(), "status=5xx&path=/a")
    put(store, [Seen(AT, path="/a", status=500), Seen(AT, path="/a"), Seen(AT, path="/b", status=500)])
    assert ids(view) == [highest(store) - 2]
    assert view.floor == highest(store)


@pytest.mark.parametrize("piece", [3, 1024])
def test_too_many_lines_are_dropped_the_oldest_first_and_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(tail, "MOST", 5)
    monkeypatch.setattr("pipeline.entries._FIRST_PIECE", piece)
    monkeypatch.setattr("pipeline.entries._SMALLEST_PIECE", 1)
    put(store, [Seen(AT)])
    view = following(store, Clock(), "status=404")
    put(store, [Seen(AT, status=404 + n % 2) for n in range(40)])
    seen = view.look()
    last = highest(store) - 1
    assert [line["id"] for line in seen.lines] == list(range(last - 8, last + 1, 2))
    assert (seen.dropped, seen.counted) == (15, True)
    put(store, [Seen(AT) for _ in range(5)])
    assert (len(view.look().lines), view.look().dropped) == (5, 0)


def test_a_look_ends_in_time_and_says_that_there_may_be_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.entries._FIRST_PIECE", 10)
    put(store, [Seen(AT, path=f"/{n}") for n in range(60)])
    start = highest(store) - 60
    times = iter([0.0, 0.0, 2.0, *[2.0] * 100])
    seen = following(store, lambda: next(times), last=start).look()
    assert [line["Path"] for line in seen.lines] == [f"/{n}" for n in range(50, 60)]
    assert not seen.counted
    assert b'"dropped_is":"at_least"' in tail._said(seen)


def test_an_outage_is_told_once_and_costs_no_line(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "PAUSE_SECONDS", 0.0)
    put(store, [Seen(AT)])
    clock = Clock()
    told = tail.events(store, tail_question([]), Streams(), clock)
    assert next(told) == b"retry: 1000\n\n: tail\nid: %d\n\n" % highest(store)
    look = Tail.look

    def away(_: Tail) -> Any:
        clock.now += 4.0
        raise tail.Unavailable("database", "it is away")

    monkeypatch.setattr(Tail, "look", away)
    assert next(told).startswith(b'event: problem\ndata: {"detail":"database is not available')
    assert next(told) == b": heartbeat\nid: %d\n\n" % highest(store)
    put(store, [Seen(AT, path="/after")])
    monkeypatch.setattr(Tail, "look", look)
    assert b'"Path":"/after"' in next(told)
    told.close()


def test_a_place_is_given_back_however_a_stream_ends(api: FlaskClient, store: Store) -> None:
    put(store, [Seen(AT)])
    for _ in range(3 * streams.TAILS):
        answer = api.head("/logs/tail")
        assert answer.status_code == 200
        answer.close()
        answer = api.get("/logs/tail", buffered=False)
        assert answer.content_type == "text/event-stream"
        answer.close()


def test_a_stream_too_many_is_refused_with_when_to_ask_again() -> None:
    places = Places("tails", 1)
    with places.taken(), pytest.raises(streams.TooManyRequests) as refused, places.taken():
        pass
    assert refused.value.retry_after == streams.RETRY_AFTER_SECONDS
    with places.taken():
        pass


# --- As it is deployed -------------------------------------------------------------------------------------------


class Reader:
    """One connection to a stream, read in a thread of its own."""

    def __init__(self, port: str, query: str = "", last: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
        self._connection.request("GET", f"/logs/tail?{query}", headers={"Last-Event-ID": last} if last else {})
        self.answer = self._connection.getresponse()
        self.events: list[Event] = []
        self.raw = b""
        self.ended = threading.Event()
        if self.answer.status == 200:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        events = Events()
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            while piece := self.answer.read1(65536):
                self.raw += piece
                self.events += events.feed(piece)
        self.ended.set()

    def lines(self) -> list[Any]:
        """The lines until now."""
        return [json.loads(event.data) for event in list(self.events) if event.name == "line"]

    def close(self) -> None:
        """Goes away."""
        if self._connection.sock is not None:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        if self.answer.status == 200:
            assert self.ended.wait(5)
        self.answer.close()
        self._connection.close()


def _ready(port: str) -> bool:
    with contextlib.suppress(OSError):
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
    return False


Served = tuple[Child, str, Store]


@pytest.fixture
def served(backend: Backend, launch: Launch) -> Iterator[Served]:
    """A server's process, its port, and its database."""
    environment = backend.environment()
    schema.migrate(environment["DATABASE_URL"])
    child = launch("webapi", environment)
    assert wait_until(lambda: _ready(environment["WEBAPI_PORT"]), 30)
    store = Store.open(environment["DATABASE_URL"])
    yield child, environment["WEBAPI_PORT"], store
    store.disconnect()


def _numbers(lines: Sequence[Any]) -> list[str]:
    return [line["Path"] for line in lines]


def test_events_arrive_and_a_reader_that_comes_back_goes_on_where_it_was(served: Served) -> None:
    _, port, store = served
    put(store, [Seen(AT, path="/before")])
    reader = Reader(port, "status=4xx")
    assert reader.answer.getheader("Content-Type") == "text/event-stream"
    put(store, [Seen(AT, path=f"/{n}") for n in range(3)])
    assert wait_until(lambda: len(reader.lines()) == 3, 10)
    assert _numbers(reader.lines()) == ["/0", "/1", "/2"]
    assert [event.id for event in reader.events] == [str(line["id"]) for line in reader.lines()]
    reader.close()
    put(store, [Seen(AT, path=f"/{n}", status=404 + 100 * (n % 2)) for n in range(3, 8)])
    again = Reader(port, "status=4xx", reader.events[-1].id)
    assert wait_until(lambda: len(again.lines()) == 2, 10)
    time.sleep(1.2)
    assert _numbers(again.lines()) == ["/4", "/6"]
    again.close()


@pytest.mark.real_only
def test_a_quiet_stream_has_heartbeats_and_a_stop_ends_streams_and_the_process(served: Served) -> None:
    child, port, store = served
    put(store, [Seen(AT)])
    readers = [Reader(port) for _ in range(streams.TAILS)]
    assert all(reader.answer.status == 200 for reader in readers)
    ninth = Reader(port)
    refused = ninth.answer
    assert (refused.status, refused.getheader("Content-Type")) == (429, "application/problem+json")
    assert refused.getheader("Retry-After") == str(streams.RETRY_AFTER_SECONDS)
    assert "8 tails" in json.loads(refused.read())["detail"]
    ninth.close()
    assert wait_until(lambda: all(b": heartbeat\nid: 1\n\n" in reader.raw for reader in readers), 25)

    readers[0].close()

    def is_free() -> bool:
        reader = Reader(port)
        if reader.answer.status == 200:
            readers.append(reader)
            return True
        reader.close()
        return False

    # A reader that has gone is noticed with the next bytes for it.
    put(store, [Seen(AT)])
    assert wait_until(is_free, 15, pause=0.3)
    begun = time.monotonic()
    child.terminate()
    assert child.wait(8) == 0
    assert time.monotonic() - begun < 5
    for reader in readers[1:]:
        assert reader.ended.wait(1)
        reader.close()


@pytest.mark.any_servers
def test_a_stop_is_not_held_up_by_readers_that_do_not_read(served: Served) -> None:
    child, port, store = served
    put(store, [Seen(AT, path="/" + "x" * 1500) for _ in range(10_000)])
    with contextlib.ExitStack() as stack:
        for page in ("/logs/export", "/logs/tail?last_event_id=1", "/logs/export?format=ndjson"):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", int(port)), 10))
            connection.sendall(f"GET {page} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(12) == b"HTTP/1.1 200"
        time.sleep(1.0)
        begun = time.monotonic()
        child.terminate()
        assert child.wait(8) == 0
        assert time.monotonic() - begun < 5


@pytest.mark.real_only
def test_a_stream_lives_through_an_outage_of_the_database(served: Served, backend: Backend) -> None:
    _, port, store = served
    put(store, [Seen(AT)])
    reader = Reader(port)
    assert reader.answer.status == 200
    backend.servers["database"].kill()
    assert wait_until(lambda: any(event.name == "problem" for event in reader.events), 30)
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    for page in ("/logs", "/logs/1", "/logs/export", "/logs/tail"):
        connection.request("GET", page)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        assert (answer.status, answer.getheader("Content-Type")) == (503, "application/problem+json"), page
        assert "database" in said["detail"]
        assert answer.getheader("Retry-After")
    backend.servers["database"].start()
    put(store, [Seen(AT, path="/after")])
    assert wait_until(lambda: _numbers(reader.lines()) == ["/after"], 30)
    connection.request("GET", "/logs")
    assert connection.getresponse().status == 200
    connection.close()
    reader.close()


def test_signals_are_heard_beside_the_servers_own_handlers() -> None:
    from webapi.wiring import _on_stop

    heard = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        _on_stop(heard.set)
        signal.raise_signal(signal.SIGTERM)
        assert heard.wait(5)
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, before)
