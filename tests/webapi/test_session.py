"""The text that a session is: nobody else can write one, and none outlives its key or its time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapi.session import Session, understood, written

SECRET, DIGEST = b"s" * 32, b"d" * 32
SESSION = Session("0123456789abcdef", 2_000)
TEXT = written(SESSION, SECRET, DIGEST)


def found(text: str, now: float = 1_000, secret: bytes = SECRET, digest: bytes | None = DIGEST) -> Session | None:
    return understood(text, now, secret, lambda public_id: digest if public_id == SESSION.public_id else None)


def test_what_was_written_is_understood_until_its_end() -> None:
    assert found(TEXT) == found(TEXT, now=1_999.9) == SESSION
    assert found(TEXT, now=2_000) is None


def test_it_needs_the_secret_and_a_key_that_is_known() -> None:
    assert found(TEXT, secret=b"x" * 32) is None
    assert found(TEXT, digest=b"x" * 32) is None
    assert found(TEXT, digest=None) is None


def test_nothing_secret_is_in_it() -> None:
    assert TEXT.startswith("1.0123456789abcdef.2000.")
    assert DIGEST.hex() not in TEXT
    assert SECRET.hex() not in TEXT


@given(st.integers(0, len(TEXT) - 1), st.sampled_from("0123456789abcdef."))
def test_one_that_was_changed_anywhere_is_none(at: int, character: str) -> None:
    changed = TEXT[:at] + character + TEXT[at + 1 :]
    assert (found(changed) is None) == (changed != TEXT)


@pytest.mark.parametrize(
    "text", ["", ".", TEXT + " ", TEXT.upper(), TEXT[:-1], f"1.{TEXT}", "1..." + "0" * 64, "é" * 90]
)
def test_anything_else_is_none(text: str) -> None:
    assert found(text) is None
