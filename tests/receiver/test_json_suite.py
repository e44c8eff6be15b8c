"""JSON as the suite of json.org has it, which simplejson brings: what is none is refused, what is some is read."""

from __future__ import annotations

import pytest
from simplejson.tests.test_fail import JSONDOCS as BROKEN
from simplejson.tests.test_pass1 import JSON as EVERYTHING
from simplejson.tests.test_pass2 import JSON as DEEP
from simplejson.tests.test_pass3 import JSON as OBJECT

from tests.receiver.asgi import LINE, Kept, body_of, post, upload_app


@pytest.mark.parametrize("document", BROKEN)
def test_a_broken_document_is_refused_and_nothing_is_kept(document: str) -> None:
    kept = Kept()
    assert post(upload_app(kept), document.encode()).status == 400
    assert kept.records == []


@pytest.mark.parametrize("document", BROKEN[1:])  # The first is a string: wrong to the suite alone.
def test_a_broken_document_is_no_element_of_an_array_either(document: str) -> None:
    kept = Kept()
    body = body_of(LINE)[:-1] + b"," + document.encode() + b"]"
    assert post(upload_app(kept), body).status == 400
    assert kept.records == []


@pytest.mark.parametrize("document", [EVERYTHING, DEEP, OBJECT])
def test_a_document_that_is_no_array_of_strings_is_refused_in_words(document: str) -> None:
    answer = post(upload_app(Kept()), document.encode())
    assert answer.status == 400
    assert "not JSON" not in answer.json["detail"]
    assert "string" in answer.json["detail"]
