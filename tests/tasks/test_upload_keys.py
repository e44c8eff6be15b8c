"""Upload keys: which uploads are the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.batch import Range
from pipeline.storage import Store
from tasks import upload_keys
from tasks.frame import Place
from tasks.upload_keys import identities, twins
from tests.records import Rec, line, shared, upload


def place(record: int) -> Place:
    """Of a record of one upload, whose body is no array."""
    return Place(record, 0, 1)


def test_identities_tell_key_body_and_owner_apart() -> None:
    records = [
        Rec(0, b"body", (("key", b"k"),)),
        Rec(1, b"body", (("key", b"k"), ("api_key", b"a"))),
        Rec(2, b"odyk", (("key", b"b"),)),
        Rec(3, b"", (("key", b"kbody"),)),
        Rec(4, b"kbody", (("key", b""),)),
        Rec(5, b"body", (("key", b"ka"),)),
        Rec(6, b"body"),
    ]
    found = identities(records)
    assert [place.record for place in found] == [0, 1, 2, 3, 4, 5]
    assert len(set(found.values())) == 6
    assert identities([replace(records[0], offset=9, timestamp=5)]) == {place(0): found[place(0)]}


def test_an_upload_is_known_alike_in_a_record_of_its_own_and_among_others() -> None:
    one, other = [line()], [line(500), line(404)]
    alone = [identities([upload(0, lines, key="k")])[Place(0, 0, len(lines))] for lines in (one, other)]
    together = identities([shared(0, (one, "k"), (other, None), (other, "k"))])
    assert together == {Place(0, 0, 1): alone[0], Place(0, 3, 2): alone[1]}


def test_of_several_of_one_identity_in_a_record_the_first_counts(store: Store) -> None:
    records = [
        shared(3, ([line()], "k"), ([line()], "l"), ([line()], "k")),
        shared(4, ([line()], "l"), ([line()], "m")),
    ]
    order = Range("topic-id", 0, 0, 3, 5, "")
    for _ in range(2):
        found = store.write(lambda: twins(store, order, 7, records, identities(records)))
        assert found == [Place(0, 2, 1), Place(1, 0, 1)]


def test_what_survived_a_cut_log_is_a_twin_at_its_own_offset_too(store: Store) -> None:
    """A partition's next generation reads the survivors again where they stood."""
    records = [Rec(0, b"body", (("key", b"k"),)), Rec(1, b"other", (("key", b"k"),))]
    of = [Range("topic-id", 0, generation, 0, 2, "") for generation in (0, 1)]
    found = [store.write(lambda one=one: twins(store, one, 7, records, identities(records))) for one in (*of, *of)]
    assert found == [[], [place(0), place(1)], [], [place(0), place(1)]]


def test_twins_whose_keys_stand_in_two_statements_are_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_keys, "CHUNK", 1)
    records = [Rec(offset, b"body", (("key", b"k"),)) for offset in range(2)]
    order = Range("topic-id", 0, 0, 0, 2, "")
    assert store.write(lambda: twins(store, order, 7, records, identities(records))) == [place(1)]
