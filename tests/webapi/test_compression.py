"""Answers of some size are compressed for who understands it."""

from __future__ import annotations

import gzip

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize("understood", ["gzip", "br, gzip;q=0.5", "*", "deflate, GZIP"])
def test_a_large_answer_is_compressed(refusing: FlaskClient, understood: str) -> None:
    plain, compressed = refusing.get("/docs"), refusing.get("/docs", headers={"Accept-Encoding": understood})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.data) == plain.data
    assert int(compressed.headers["Content-Length"]) == len(compressed.data) < len(plain.data) / 3
    assert "Accept-Encoding" in compressed.headers["Vary"]


@pytest.mark.parametrize("understood", ["", "br", "identity", "gzip;q=0", "*;q=0", "gzip;q=0, *"])
def test_who_does_not_understand_it_gets_it_as_it_is(refusing: FlaskClient, understood: str) -> None:
    answer = refusing.get("/docs", headers={"Accept-Encoding": understood})
    assert "Content-Encoding" not in answer.headers
    assert answer.data.startswith(b"<!doctype html>")
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_small_answers_and_streams_are_not_compressed(api: FlaskClient) -> None:
    for path in ("/healthz", "/logs/export", "/logs/export?format=ndjson"):
        assert "Content-Encoding" not in api.get(path, headers={"Accept-Encoding": "gzip"}).headers


def test_a_problem_of_some_size_is_compressed(refusing: FlaskClient) -> None:
    answer = refusing.get("/logs?q=" + "%22" * 300 + "x" * 600, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 400
    assert len(answer.data) < 1024
