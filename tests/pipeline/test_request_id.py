"""A request is called as its client says, where that can stand anywhere."""

from __future__ import annotations

import pytest

from pipeline.request_id import request_id


@pytest.mark.parametrize("said", ["abc-1", "a@b", "0af7/b7ad=", "x" * 128])
def test_a_sensible_id_is_kept(said: str) -> None:
    assert request_id(said) == said


@pytest.mark.parametrize("said", ["", "a b", 'a"b', "é", "a\n", "x" * 129])
def test_any_other_is_replaced(said: str) -> None:
    assert len({request_id(said), request_id(said)}) == 2
    assert len(request_id(said)) == 32
