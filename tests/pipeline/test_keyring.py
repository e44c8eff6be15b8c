"""Who is admitted: keys in memory, their scopes and allowances."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Denied, Unavailable
from pipeline.keyring import ApiKey, Keyring, Uses, digest, minted
from tests.known_key import KEY, PUBLIC_ID, UNKNOWN_KEY

AUTHORIZATION = f"Bearer {KEY}"


def keyring(*scopes: str, rate: int | None = None, clock: list[float] | None = None) -> Keyring:
    """One that has KEY, for these scopes."""
    found = Keyring((lambda: clock[0]) if clock else lambda: 0.0)
    found.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(scopes), rate)])
    return found


def status(found: Keyring, authorization: str, scope: str = "ingest") -> int:
    """What a request is answered with."""
    try:
        found.admit(authorization, scope)
    except Denied as denied:
        return denied.status
    return 200


def test_a_key_has_256_random_bits_and_a_public_name() -> None:
    keys = {minted() for _ in range(100)}
    assert len({key for _, key in keys}) == len({public_id for public_id, _ in keys}) == 100
    for public_id, key in keys:
        assert re.fullmatch(rf"tally_{public_id}_[0-9a-f]{{64}}", key)
        assert len(digest(key)) == 32


def test_a_known_key_is_admitted_for_what_it_is_for() -> None:
    found = keyring("ingest", "read")
    assert found.admit(AUTHORIZATION, "ingest") == found.admit(f"bearer  {KEY} ", "read") == PUBLIC_ID
    with pytest.raises(Denied, match="for ingest and read") as denied:
        found.admit(AUTHORIZATION, "admin")
    assert denied.value.status == 403


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        KEY,
        "Bearer",
        "Bearer ",
        f"Basic {KEY}",
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY} {KEY}",
        f"Bearer {KEY.upper()}",
        f"Bearer {UNKNOWN_KEY}",
        f"Bearer tally_{PUBLIC_ID}_{'0' * 64}",
        "Bearer \x00é",
    ],
)
def test_whoever_has_no_key_of_ours_is_a_stranger(authorization: str) -> None:
    assert status(keyring("ingest"), authorization) == 401


@given(st.text(max_size=300))
def test_nothing_else_opens(authorization: str) -> None:
    assert status(keyring("ingest"), authorization) == 401
    assert status(keyring("ingest"), f"Bearer {authorization}") == 401


def test_what_was_wrong_with_a_key_is_not_said() -> None:
    said = set()
    for key in (UNKNOWN_KEY, f"tally_{PUBLIC_ID}_{'0' * 64}", "tally_wrong", KEY[:-1], KEY * 9):
        with pytest.raises(Denied) as denied:
            keyring("ingest").admit(f"Bearer {key}", "ingest")
        said.add(str(denied.value))
    assert said == {"this key is not known, or was revoked"}


@pytest.mark.parametrize("authorization", ["", KEY, "Bearer ", f"Basic {KEY}"])
def test_whoever_sends_no_key_is_told_how_to(authorization: str) -> None:
    with pytest.raises(Denied, match="a key is needed: Authorization: Bearer tally_"):
        keyring("ingest").admit(authorization, "ingest")


def test_before_the_keys_were_read_nobody_is_refused_for_good() -> None:
    found = Keyring()
    with pytest.raises(Unavailable, match="API keys"):
        found.admit(AUTHORIZATION, "ingest")
    found.replace([])
    assert status(found, AUTHORIZATION) == 401


def test_a_key_makes_as_many_requests_a_second_as_it_may() -> None:
    clock = [100.0]
    found = keyring("ingest", rate=3, clock=clock)
    assert [status(found, AUTHORIZATION) for _ in range(5)] == [200, 200, 200, 429, 429]
    clock[0] += 0.34
    assert [status(found, AUTHORIZATION) for _ in range(2)] == [200, 429]
    clock[0] += 3600
    assert [status(found, AUTHORIZATION) for _ in range(4)] == [200, 200, 200, 429]
    with pytest.raises(Denied) as denied:
        found.admit(AUTHORIZATION, "ingest")
    assert denied.value.retry_after == 1
    # Read again, the key has what it had; with another rate, that.
    found.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(["ingest"]), 3)])
    assert status(found, AUTHORIZATION) == 429
    found.replace([ApiKey(PUBLIC_ID, digest(KEY), frozenset(["ingest"]), 2)])
    assert [status(found, AUTHORIZATION) for _ in range(3)] == [200, 200, 429]


def test_what_is_done_with_a_key_is_told_once() -> None:
    found = keyring("ingest", rate=2)
    for _ in range(3):
        status(found, AUTHORIZATION)
    status(found, AUTHORIZATION, "read")
    found.used(PUBLIC_ID, Uses(uploads=1, lines=100))
    found.used(PUBLIC_ID, Uses(uploads=1, lines=7))
    assert found.drain() == {PUBLIC_ID: Uses(uploads=2, lines=107, refusals=2)}
    assert found.drain() == {}
