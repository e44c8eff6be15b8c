"""What pages load."""

from __future__ import annotations

import gzip
import posixpath
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from webapi.assets import assets

SCRIPTS = sorted(name for name in assets().files if name.endswith(".js"))


@pytest.mark.parametrize("name", sorted(assets().files))
def test_a_file_is_served_compressed_and_plain_to_be_kept_for_ever(refusing: FlaskClient, name: str) -> None:
    asset = assets().files[name]
    for understood in ("gzip", "identity"):
        answer = refusing.get(assets().path(name), headers={"Accept-Encoding": understood})
        assert (answer.status_code, answer.content_type) == (200, asset.content_type)
        packed = "Content-Encoding" in answer.headers
        assert packed == (understood == "gzip" and asset.compressed is not None)
        assert (gzip.decompress(answer.data) if packed else answer.data) == asset.plain
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        head = refusing.head(assets().path(name), headers={"Accept-Encoding": understood, "X-Request-Id": "a"})
        assert (head.status_code, head.data, head.headers["X-Request-Id"]) == (200, b"", "a")
        assert {**head.headers, "X-Request-Id": ""} == {**answer.headers, "X-Request-Id": ""}


def test_it_is_asked_for_and_with_another_method_refused(refusing: FlaskClient) -> None:
    path = assets().path("docs.css")
    for method in ("POST", "PUT", "DELETE"):
        answer = refusing.open(path, method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert answer.content_type == "application/problem+json"
    assert refusing.options(path).allow.as_set() == {"get", "head", "options"}


def test_each_is_counted_under_one_route(refusing: FlaskClient) -> None:
    refusing.get(assets().path("docs.css"))
    refusing.head(assets().path("vendor/preact.js"))
    refusing.get(assets().path("docs.css") + "x")
    metrics = refusing.get("/metrics").text
    for status, number in (("200", 2), ("404", 1)):
        labels = f'http_response_status_code="{status}",http_route="/static/<tree>/<path:name>"'
        assert f"http_server_request_duration_seconds_count{{{labels}}} {number}.0" in metrics
        assert f'webapi_requests_total{{status="{status}"}} {number}.0' in metrics


@pytest.mark.parametrize("path", ["docs.css", "dashboard/none.js", "../app.py", "%2e%2e/app.py", "/etc/passwd", ""])
def test_nothing_else_is_served(refusing: FlaskClient, path: str) -> None:
    assert refusing.get(f"/static/000000000000/{path}", follow_redirects=True).status_code == 404
    if path != "docs.css":
        assert refusing.get(f"{assets().root}/{path}", follow_redirects=True).status_code == 404


def test_its_path_changes_with_any_content_and_any_name(tmp_path: Path) -> None:
    seen = set()
    for number, (name, text) in enumerate([("a.js", "1"), ("a.js", "2"), ("b.js", "1"), ("in/a.js", "1")]):
        tree = tmp_path / str(number)
        (tree / name).parent.mkdir(parents=True)
        (tree / name).write_text(text)
        seen.add(assets(tree).root)
    assert len(seen) == 4


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_import_of_a_script_leads_to_one_that_is_there(name: str) -> None:
    text = assets().files[name].plain.decode()
    for said in re.findall(r"""(?:from|import)\s*\(?["']([^"'\s]+)["']""", text):
        assert said.startswith("."), said
        assert posixpath.normpath(posixpath.join(posixpath.dirname(name), said)) in assets().files, said
