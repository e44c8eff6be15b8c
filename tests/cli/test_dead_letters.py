"""`tally dead-letters`, as a person types it."""

from __future__ import annotations

import base64
import json
from datetime import datetime

import pytest
from click.testing import CliRunner, Result

from cli.main import tally
from pipeline import producer, retry, settings
from pipeline.batch import lines
from pipeline.models import DeadLetter
from pipeline.storage import Store
from tasks import upload_keys
from tests.cli.web import Reply, scripted
from tests.receiver import wire
from tests.records import line
from tests.servers import Backend
from tests.stores import database, store

__all__ = ["database", "store"]

GOOD = line(404, "/mended")
SHOWN = {
    "id": 7,
    "created_at": "2026-03-03T12:00:30Z",
    "reason": "time",
    "detail": "expected a time",
    "topic": "raw-logs",
    "partition": 1,
    "offset": 5,
    "line": 3,
    "bytes": 3,
    "text": "\x1b[2J\u202ebad",
    "is_whole": True,
    "retried_at": None,
}


@pytest.fixture
def environment(backend: Backend, database: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Settings that name the database and a topic of its own."""
    environment = backend.environment(DATABASE_URL=database)
    wire.make_topic(environment)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


def bury(store: Store, payload: bytes, line_index: int | None = 0, reason: str = "time") -> int:
    """Keeps a letter, and returns its id."""
    row = {"stream": 1, "part": 0, "offset": 0, "line_index": line_index, "reason": reason, "detail": "d"}
    row |= {"payload": payload, "created_at": datetime(2026, 3, 3)}  # noqa: DTZ001 (naive UTC, as the database's are)
    return int(store.write(lambda: DeadLetter.insert(**row).execute()))


def run(*words: object, answer: str = "") -> Result:
    """`tally dead-letters`, with what is typed when it asks."""
    return CliRunner().invoke(tally, ["dead-letters", *map(str, words)], input=answer)


def left(store: Store) -> list[tuple[int, bool]]:
    """The letters that there are, and whether each was sent again."""
    # (In SQL: the models are bound to the store that the command opened.)
    rows = store.read(lambda: store.execute("SELECT id, retried_at FROM dead_letter ORDER BY id").fetchall())
    return [(id, retried_at is not None) for id, retried_at in rows]


def test_a_list_says_why_and_where_and_cannot_command_a_terminal() -> None:
    meta = {"total": 1234, "total_is": "exact", "by_reason": {"time": 1234}, "limit": 1, "next": 7}
    with scripted(lambda _: Reply({"data": [SHOWN], "meta": meta})) as web:
        ended = run("list", "--url", web.url, "--reason", "time", "--limit", 1)
        as_json = run("list", "--url", web.url, "--json")
    assert web.asked[0].query == {"reason": "time", "limit": "1"}
    assert (ended.exit_code, "1/5/3" in ended.stdout, "expected a time" in ended.stdout) == (0, True, True)
    assert not {"\x1b", "\u202e"} & set(ended.stdout + as_json.stdout)
    assert "1 of 1,234 (1,234 time); --before 7 shows older ones" in ended.stderr
    assert json.loads(as_json.stdout)["data"] == [SHOWN]


def test_one_is_shown_with_all_that_is_kept() -> None:
    with scripted(lambda _: Reply({"data": SHOWN | {"payload": "YmFk"}})) as web:
        ended = run("show", 7, "--url", web.url)
    assert (web.asked[0].page, ended.exit_code) == ("/dead-letters/7", 0)
    assert "payload\tYmFk\n" in ended.stdout
    assert "\x1b" not in ended.stdout


@pytest.mark.usefixtures("environment")
def test_an_export_has_every_byte(store: Store) -> None:
    payloads = [b"\xff\x00", "é".encode(), b"x" * 65_535]
    ids = [bury(store, payload) for payload in payloads for _ in range(50)]
    rows = [json.loads(text) for text in run("export", "--all").stdout.splitlines()]
    assert [row["id"] for row in rows] == ids
    assert [base64.b64decode(row["payload"]) for row in rows[::50]] == payloads
    assert len(run("export", ids[3], ids[4]).stdout.splitlines()) == 2


@pytest.mark.usefixtures("environment")
def test_an_export_that_finds_no_room_says_so(store: Store) -> None:
    bury(store, b"x")
    ended = run("export", "--all", "--output", "/dev/full")
    assert (ended.exit_code, "No space left" in ended.stderr) == (1, True)
    assert isinstance(ended.exception, SystemExit)


@pytest.mark.usefixtures("environment")
def test_a_purge_asks_first_and_takes_what_was_said(store: Store) -> None:
    ids = [bury(store, b"x", reason=("time", "path")[number % 2]) for number in range(10)]
    assert run("purge", "--all", answer="n\n").exit_code == 1
    assert len(left(store)) == 10
    assert run("purge", "--reason", "path", answer="y\n").exit_code == 0
    assert [id for id, _ in left(store)] == ids[::2]
    assert run("purge", ids[0], ids[2], "--yes").exit_code == 0
    assert [id for id, _ in left(store)] == ids[4::2]
    ended = run("purge", "--all", "--yes")
    assert (ended.stderr, left(store)) == ("deleted 3 dead letters\n", [])


@pytest.mark.usefixtures("environment")
def test_a_purge_spares_what_comes_while_it_asks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [bury(store, b"x") for _ in range(2)]

    def confirm(question: str, **_: object) -> None:
        assert "Delete 2 dead letters" in question
        columns = "stream, part, `offset`, line_index, reason, detail, payload, created_at"
        store.write(lambda: store.execute(f"INSERT INTO dead_letter ({columns}) SELECT {columns} FROM dead_letter"))

    monkeypatch.setattr("click.confirm", confirm)
    assert run("purge", "--all").stderr == "deleted 2 dead letters\n"
    assert (len(left(store)), {id for id, _ in left(store)} & {*ids}) == (2, set())


@pytest.mark.usefixtures("environment")
def test_an_id_of_no_letter_is_named_and_the_others_are_handled(store: Store) -> None:
    there, other, gone, never = [bury(store, GOOD.encode(), number) for number in range(3)] + [2**63 - 1]
    assert run("purge", gone, "--yes").exit_code == 0
    said = f"there is no dead letter {gone}, {never}\n"
    ended = run("export", gone, there, never, gone)
    assert (ended.exit_code, ended.stderr, len(ended.stdout.splitlines())) == (1, said, 1)
    ended = run("retry", gone, there, never)
    assert (ended.exit_code, ended.stderr) == (1, f"{said}sent 1 again\n")
    assert left(store) == [(there, True), (other, False)]
    ended = run("purge", gone, there, never, "--yes")
    assert (ended.exit_code, ended.stderr) == (1, f"{said}deleted 1 dead letters\n")
    assert left(store) == [(other, False)]
    # Where none is named, none is missing.
    assert [run(command, "--reason", "none").exit_code for command in ("export", "retry", "purge")] == [0, 0, 0]


@pytest.mark.parametrize("command", ["show", "export", "retry", "purge"])
def test_an_id_that_no_database_can_have_is_a_wrong_word(command: str) -> None:
    for id in (0, 2**63, 99999999999999999999):
        ended = run(command, id)
        assert (ended.exit_code, ended.stderr.count(f"{id} is not in the range")) == (2, 1)


@pytest.mark.parametrize("words", [("retry", 1, "--replace"), ("export", "--reason"), ("list", "--reason")])
def test_what_is_not_utf8_is_a_wrong_word(words: tuple[object, ...]) -> None:
    ended = run(*words, b"\xff".decode(errors="surrogateescape"))
    said = f"Error: Invalid value for '{words[-1]}': expected UTF-8"
    assert (ended.exit_code, ended.stderr.splitlines()[-1]) == (2, said)


@pytest.mark.parametrize(
    "words", [("retry",), ("purge", "--all", 1), ("export", "--all", "--reason", "x"), ("retry", 0)], ids=str
)
def test_which_are_meant_must_be_said(words: tuple[object, ...]) -> None:
    assert run(*words).exit_code == 2


def test_what_is_fit_is_sent_once_and_marked(store: Store, backend: Backend, environment: dict[str, str]) -> None:
    # Given a line that was taken for bad, one that is, records that were poison, and one of which a part is left,
    good, bad = bury(store, GOOD.encode(), 3), bury(store, b"bad", 4)
    whole = bury(store, json.dumps([GOOD, "bad"]).encode(), None, "poison")
    cut = bury(store, json.dumps([GOOD] * 2000).encode()[:65_535], None, "poison")
    # when all are sent again, twice,
    ended = run("retry", "--all")
    assert (ended.exit_code, "sent 2 again, left 2 as they are" in ended.stderr) == (1, True)
    assert f"{bad}: expected" in ended.stderr
    assert f"{cut}: of the record only its first 65535 bytes are kept" in ended.stderr
    assert "sent 0 again, left 4" in run("retry", "--all").stderr
    # then Kafka has what was fit, under keys that are no client's, and each says how many lines it has.
    found = list(wire.records(backend, environment["KAFKA_TOPIC"]))
    assert {tuple(json.loads(record.value)) for record in found} == {(GOOD,), (GOOD, "bad")}
    assert sorted(map(lines, found)) == [1, 2]
    assert len(upload_keys.identities(found)) == 2
    assert left(store) == [(good, True), (bad, False), (whole, True), (cut, False)]
    # Once more on demand, and mended where a person knows what it should have been: twins, and another upload.
    assert run("retry", good, "--again").exit_code == 0
    assert run("retry", bad, "--replace", "still bad").exit_code == 1
    assert run("retry", bad, "--replace", GOOD).exit_code == 0
    found = list(wire.records(backend, environment["KAFKA_TOPIC"]))
    assert len(found) == 4
    assert len(set(upload_keys.identities(found).values())) == 3


def test_what_two_look_at_and_mend_differently_counts_once(
    store: Store, backend: Backend, environment: dict[str, str]
) -> None:
    id, made = bury(store, b"bad"), producer.build(settings.load())
    letter = store.read(lambda: DeadLetter.get_by_id(id))
    both = [retry.record(letter, "", line(404, path), again=False, max_lines=1) for path in ("/one", "/other")]
    assert [retry.send(made, environment["KAFKA_TOPIC"], store, [one]) for one in both] == [[id], []]
    made.close()
    (found,) = wire.records(backend, environment["KAFKA_TOPIC"])
    assert b"/one" in found.value


@pytest.mark.any_servers
@pytest.mark.usefixtures("environment")
def test_without_kafka_nothing_is_marked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bury(store, GOOD.encode())
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    ended = run("retry", "--all")
    assert (ended.exit_code, "kafka" in ended.stderr) == (69, True)
    assert [sent for _, sent in left(store)] == [False]


def test_a_record_and_a_line_are_not_mistaken(store: Store) -> None:
    bury(store, b"[]", None)
    letter = store.read(lambda: DeadLetter.select().first())
    for replace, said in ((None, "no line in it"), (GOOD, "only a line can be replaced")):
        with pytest.raises(retry.UnfitError, match=said):
            retry.record(letter, "topic", replace, again=False, max_lines=10)


def test_a_letter_has_its_key_from_where_it_stood_so_that_a_restored_database_gives_it_the_same(store: Store) -> None:
    for line_index, payload in ((0, b"one"), (1, b"two"), (1, b"two"), (0, b"two")):
        bury(store, payload, line_index)
    keys = [retry.key(letter, "topic") for letter in store.read(lambda: list(DeadLetter.select()))]
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3
    assert retry.key(store.read(lambda: DeadLetter.get()), "another topic") not in keys
