"""The page for people: a shell that nothing from elsewhere gets into."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.webapi.test_docs import Seen
from webapi.assets import assets

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/", "/pipeline"])
def test_browsers_get_the_page(refusing: FlaskClient, path: str) -> None:
    answer = refusing.get(path, headers=BROWSER)
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "application/json, text/html"])
def test_everybody_else_is_told_what_there_is(refusing: FlaskClient, accept: str) -> None:
    answer = refusing.get("/", headers={"Accept": accept})
    assert "/logs" in answer.json["endpoints"]
    assert "Accept" in answer.headers["Vary"]


def test_what_the_page_loads_is_there_and_nothing_stands_in_it_itself(refusing: FlaskClient) -> None:
    seen = Seen(refusing.get("/", headers=BROWSER).text)
    assert "style" not in seen.tags
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name == "style"]
    loaded = [path for path in seen.values("href") + seen.values("src") if path.startswith("/static/")]
    assert assets().path("dashboard/main.js") in loaded
    for path in loaded:
        assert refusing.get(path).status_code == 200, path


def test_it_says_where_lines_are_sent_as_whoever_asks_reaches_it(refusing: FlaskClient) -> None:
    for host, told in (("logs.example:8081", "logs.example"), ("127.0.0.1:8081", "127.0.0.1"), ("[::1]:8081", "[::1]")):
        page = refusing.get("/", headers={**BROWSER, "Host": host}).text
        assert f"http://{told}:8080/upload" in page
