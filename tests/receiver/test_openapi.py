"""The receiver's document: valid, and true to what the receiver checks."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from pipeline.errors import LineFault
from pipeline.grammar import parse
from receiver.openapi import document

DOCUMENT = document(1_048_576, 5_000)
UPLOAD = DOCUMENT["paths"]["/upload"]["post"]
LINES = UPLOAD["requestBody"]["content"]["application/json"]["schema"]


def test_the_document_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_says_this_receivers_limits() -> None:
    assert LINES["maxItems"] == 5_000
    assert "1048576 bytes" in UPLOAD["description"]


def test_its_example_is_a_line() -> None:
    assert parse(LINES["items"]["example"]).status == 500


@given(
    st.from_regex(
        r"[0-9]{4}-02-[0-3][0-9]T[0-9]{2}:00:00(\.[0-9]{0,7})?(Z|[+-]0[0-9]:30) (::|1\.1\.1\.1|::1\.2\.3\.4)"
        r" [A-Z]{1,11} /[^ ]{0,3} [0-9]{3} [0-9]{1,11}ms",
        fullmatch=True,
    )
)
def test_every_valid_line_fits_the_pattern(line: str) -> None:
    try:
        parse(line)
    except LineFault:
        return
    assert re.fullmatch(LINES["items"]["pattern"], line)
