"""Transactions: all of it or nothing, and again as a whole where that is safe."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import peewee
import pytest

from pipeline import storage
from pipeline.errors import ConfigurationError, Refused, Unavailable
from pipeline.models import DeadLetter, LedgerMinute, Stream, UploadKey
from pipeline.storage import Store
from tests.servers import Backend
from tests.stores import beside, refusing, session


def add(topic: str, topic_id: str = "") -> None:
    Stream.insert(cluster_id="c", topic=topic, topic_id=topic_id, state="live").execute()


def topics(store: Store) -> list[str]:
    return store.read(lambda: sorted(row.topic for row in Stream.select()))


class Oops(BaseException):
    """What no handler expects."""


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Oops, peewee.IntegrityError, Unavailable])
def test_an_exception_leaves_nothing_behind_and_the_next_transaction_works(
    store: Store, error: type[BaseException]
) -> None:
    def work() -> None:
        add("half done")
        raise Unavailable("kafka", "") if error is Unavailable else error

    with pytest.raises(error):
        store.write(work)
    assert store.database.is_closed()
    store.write(lambda: add("whole"))
    assert topics(store) == ["whole"]


def test_a_statement_that_fails_undoes_those_before_it(store: Store) -> None:
    with pytest.raises(peewee.IntegrityError):
        store.write(lambda: (add("twice"), add("twice")))
    assert topics(store) == []


def test_what_a_transaction_returns_is_returned(store: Store) -> None:
    assert store.write(lambda: (add("a"), 7)[1]) == 7


def test_a_read_sees_one_snapshot_while_others_commit(store: Store) -> None:
    def write() -> None:
        store.write(lambda: add("new"))
        store.disconnect()

    def look() -> tuple[int, int]:
        before = Stream.select().count()
        writer = threading.Thread(target=write)
        writer.start()
        writer.join()
        return before, Stream.select().count()

    assert store.read(look) == (0, 0)
    assert topics(store) == ["new"]


def test_the_clock_is_utc_with_microseconds(store: Store) -> None:
    def work() -> tuple[float, float]:
        UploadKey.insert(identity=bytes(16), stream=0, part=0, generation=0, offset=0, received=store.now()).execute()
        store.execute(f"UPDATE upload_key SET stream = 1 WHERE received <= {store.clock}")
        row = UploadKey.get()
        return row.received.timestamp() - time.timezone, row.stream

    received, seen = store.write(work)
    assert abs(received - time.time()) < 5
    assert seen == 1
    assert store.read(lambda: UploadKey.select().where(UploadKey.received > store.ago(60)).count()) == 1
    assert store.read(lambda: UploadKey.select().where(UploadKey.received > store.ago(-60)).count()) == 0


def test_an_upsert_adds_raises_and_replaces_by_key(store: Store) -> None:
    model = LedgerMinute
    for values in ((1, 5, 9, 0, 0, 0), (2, 3, 8, 0, 0, 0)):
        store.write(
            lambda values=values: store.upsert(
                model,
                [("2025-06-10 10:41:00.000000", *values), ("2025-06-10 10:42:00.000000", *values)],
                add=[model.received],
                maximum=[model.stored],
                replace=[model.discarded],
            )
        )
    rows = store.read(lambda: [(r.received, r.stored, r.discarded, r.rejected) for r in model.select()])
    assert rows == [(3, 5, 8, 0)] * 2


def test_an_insert_that_ignores_keeps_what_is_there(store: Store) -> None:
    row = (b"k" * 16, 1, 2, 3, 4, "2025-06-10 10:41:00.000000")
    store.write(lambda: store.insert(UploadKey, [row]))
    store.write(lambda: store.insert(UploadKey, [(b"k" * 16, 9, *row[2:]), (b"l" * 16, *row[1:])], ignore=True))
    assert store.read(lambda: sorted(r.stream for r in UploadKey.select())) == [1, 1]
    with pytest.raises(peewee.IntegrityError):
        store.write(lambda: store.insert(UploadKey, [row]))


def test_a_table_that_is_missing_is_said_with_what_makes_it(store: Store) -> None:
    with pytest.raises(Refused, match=r"database is not available: .*; `tally migrate` makes the tables"):
        store.read(lambda: store.execute("SELECT 1 FROM nowhere"))


@pytest.mark.parametrize("payload", [b"", b"\0'\\%s%%\xff\"", b"\xf0\x9f"])
def test_bytes_and_texts_come_back_as_they_went(store: Store, payload: bytes) -> None:
    detail = "é 😀 ' \\ %s"
    store.write(
        lambda: DeadLetter.insert(
            stream=1, part=0, offset=0, reason="r", detail=detail, payload=payload, created_at=store.now()
        ).execute()
    )
    row = store.read(DeadLetter.get)
    assert (bytes(row.payload), row.detail, row.line_index) == (payload, detail, None)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "mysql://host",
        "mysql:///log_db",
        "postgres://h/d",
        "sqlite://path",
        "sqlite:///",
        "nonsense",
        "mysql://h/d?ssl_ca=a",
    ],
)
def test_a_url_of_no_database_of_ours_is_refused_by_name(url: str | None) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Store.open(url)


# --- SQLite ------------------------------------------------------------------------------------------------------


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """A SQLite database of its own with one table."""
    store = Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    store.write(
        lambda: store.execute("CREATE TABLE stream (id INTEGER PRIMARY KEY, cluster_id, topic, topic_id, state)")
    )
    yield store
    store.disconnect()


def test_a_full_disk_a_read_only_file_and_a_table_that_is_missing_are_refusals(file_store: Store) -> None:
    def fill() -> None:
        # The file may not grow: what SQLite says then is what it says of a disk.
        file_store.execute("PRAGMA max_page_count = 1")
        for n in range(1_000):
            add(f"{n}" * 100)

    def write_read_only() -> None:
        file_store.execute("PRAGMA query_only = 1")
        add("never")

    for work in (fill, write_read_only, DeadLetter.get):
        with pytest.raises(Refused, match="database is not available"):
            file_store.write(work)
    assert topics(file_store) == []


def test_a_writer_waits_for_another_writer(file_store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    release.start()
    before = time.monotonic()
    file_store.write(lambda: add("waited"))
    assert time.monotonic() - before >= 0.4
    release.join()
    other.close()
    assert topics(file_store) == ["waited"]


def test_a_writer_that_reads_first_waits_for_another_writer(file_store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO stream (topic) VALUES ('other')")
    release = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    release.start()
    # In one try: one that begins as a reader cannot become a writer once another has written, however long it waits.
    seen = file_store.write(lambda: (Stream.select().count(), add("waited"))[0], tries=1)
    release.join()
    other.close()
    assert seen == 1
    assert topics(file_store) == ["other", "waited"]


def test_many_writers_of_one_file_all_succeed(file_store: Store) -> None:
    def write(number: int) -> None:
        for n in range(10):
            file_store.write(lambda n=n: (Stream.select().count(), add(f"{number}-{n}")))
        file_store.disconnect()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(topics(file_store)) == 40


# --- MySQL -------------------------------------------------------------------------------------------------------


@pytest.mark.real_only
@pytest.mark.parametrize("before_statement", [True, False])
def test_a_connection_killed_in_a_transaction_is_retried_as_a_whole(store: Store, before_statement: bool) -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(session(store))
        if len(runs) == 1 and before_statement:
            beside(store, f"KILL {runs[0]}")
        add(f"run {len(runs)}")
        if len(runs) == 1 and not before_statement:
            beside(store, f"KILL {runs[0]}")

    store.write(work)
    assert topics(store) == ["run 2"]
    assert len(set(runs)) == 2


@pytest.mark.real_only
def test_a_connection_that_the_server_ended_while_idle_is_not_noticed(store: Store) -> None:
    ended = store.read(lambda: session(store))
    beside(store, f"KILL {ended}")
    store.write(lambda: add("on"))
    assert topics(store) == ["on"]


@pytest.mark.real_only
def test_a_connection_idle_for_longer_than_the_server_allows_is_replaced_before_use(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_IDLE_LIMIT", 0.2)
    before = store.read(lambda: session(store))
    time.sleep(0.3)
    assert store.read(lambda: session(store)) != before
    assert store.read(lambda: int(store.execute("SELECT @@wait_timeout").fetchone()[0])) == 20


@pytest.mark.real_only
def test_every_session_is_strict_in_utc_and_read_committed(store: Store) -> None:
    def work() -> tuple[object, ...]:
        found: tuple[object, ...] = store.execute(
            "SELECT @@session.time_zone, @@session.tx_isolation, @@session.innodb_lock_wait_timeout,"
            " @@session.net_read_timeout, @@session.sql_mode"
        ).fetchone()
        return found

    zone, isolation, lock_wait, read_wait, mode = store.write(work)
    assert (zone, isolation, lock_wait, read_wait) == ("+00:00", "READ-COMMITTED", 5, 10)
    assert "STRICT_ALL_TABLES" in str(mode)


@pytest.mark.real_only
def test_of_two_transactions_in_a_deadlock_both_commit(store: Store) -> None:
    store.write(lambda: (add("a"), add("b")))
    meet = threading.Barrier(2)
    runs: list[str] = []

    def crossing(first: str, second: str) -> Callable[[], None]:
        def work() -> None:
            runs.append(first)
            Stream.update(topic_id=Stream.topic_id.concat(first)).where(Stream.topic == first).execute()
            if len(runs) <= 2:
                meet.wait(10)
            Stream.update(topic_id=Stream.topic_id.concat(first)).where(Stream.topic == second).execute()

        return work

    def run(first: str, second: str) -> None:
        store.write(crossing(first, second))
        store.disconnect()

    threads = [threading.Thread(target=run, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 3
    assert {"".join(sorted(row.topic_id)) for row in store.read(lambda: list(Stream.select()))} == {"ab"}


@pytest.mark.real_only
def test_a_lock_wait_undoes_the_whole_transaction_before_it_is_run_again(store: Store) -> None:
    store.write(lambda: add("held"))
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        def work() -> None:
            Stream.update(state="gone").where(Stream.topic == "held").execute()
            holding.set()
            release.wait(15)

        store.write(work)
        store.disconnect()

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(5)
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        store.execute("SET SESSION innodb_lock_wait_timeout = 1")
        add(f"claim {len(runs)}")
        if len(runs) == 2:
            release.set()
            holder.join()
        Stream.update(state="live").where(Stream.topic == "held").execute()

    store.write(work)
    assert topics(store) == ["claim 2", "held"]


@pytest.mark.real_only
def test_a_database_that_is_away_is_named_and_found_again(store: Store, backend: Backend) -> None:
    store.write(lambda: add("before"))
    backend.servers["database"].kill()
    with pytest.raises(Unavailable, match="database is not available"):
        store.write(lambda: add("never"), tries=2)
    with pytest.raises(Unavailable) as refused:
        store.check()
    assert refused.value.dependency == "database"
    backend.servers["database"].start()
    assert topics(store) == ["before"]


@pytest.mark.real_only
@pytest.mark.parametrize("code", [3, 1021, 1030, 1114, 1142, 1146])
def test_a_database_that_cannot_is_not_asked_again_and_again(store: Store, code: int) -> None:
    runs: list[int] = []
    with refusing(store, "INSERT ON stream", code), pytest.raises(Refused, match="is not available: cannot"):
        store.write(lambda: (runs.append(1), add("never")))
    assert (topics(store), runs) == ([], [1])


@pytest.mark.real_only
@pytest.mark.parametrize(("part", "other"), [("tally:tally@", "tally:hunter2@"), ("/tally_", "/absent_")])
def test_a_login_or_a_name_that_is_refused_is_said_without_the_password(
    store: Store, database: str, part: str, other: str
) -> None:
    assert topics(store) == []
    refused_store = Store.open(database.replace(part, other))
    with pytest.raises(Unavailable, match="database is not available") as refused:
        refused_store.check()
    assert "hunter2" not in str(refused.value)
