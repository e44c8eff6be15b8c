"""The page for people: all of the document, and nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from flask.testing import FlaskClient

from webapi import docs
from webapi.endpoints import ENDPOINTS
from webapi.openapi import document


class Seen(HTMLParser):
    """What a page has in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        """Of every attribute of that name."""
        return [value for known, value in self.attributes if known == name]


def test_it_runs_no_script_and_loads_nothing_from_elsewhere(refusing: FlaskClient) -> None:
    answer = refusing.get("/docs")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    seen = Seen(answer.text)
    assert not {"script", "style", "img", "iframe", "object"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("style", "src")]
    assert all(link.startswith(("#", "/")) for link in seen.values("href"))


def test_every_link_within_the_page_leads_somewhere(refusing: FlaskClient) -> None:
    seen = Seen(refusing.get("/docs").text)
    names = seen.values("id")
    assert len(names) == len(set(names))
    assert {link[1:] for link in seen.values("href") if link.startswith("#")} <= set(names)


def test_every_endpoint_parameter_and_shape_is_told(refusing: FlaskClient) -> None:
    seen = Seen(refusing.get("/docs").text)
    every = [(path, operation) for path, item in document()["paths"].items() for operation in item.values()]
    for path, operation in every:
        assert operation["operationId"] in seen.values("id")
        assert path in seen.text
        assert operation["x-codeSamples"][0]["source"] in seen.text
        assert all(parameter["name"] in seen.text for parameter in operation["parameters"])
    assert set(document()["components"]["schemas"]) <= set(seen.values("id"))


def test_its_style_may_be_kept_for_ever_under_the_name_of_its_content(refusing: FlaskClient) -> None:
    page = refusing.get("/docs").text
    (path,) = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page)
    style = refusing.get(path)
    assert (style.status_code, style.content_type) == (200, "text/css; charset=utf-8")
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_text_is_text_and_only_backticks_mean_something() -> None:
    assert docs.prose("a `<b>` & `c`") == "a <code>&lt;b&gt;</code> &amp; <code>c</code>"


def test_every_schema_is_said_in_words() -> None:
    assert docs.kind({"$ref": "#/components/schemas/Line"}) == '<a href="#Line">Line</a>'
    assert docs.kind({"type": "integer", "minimum": 0, "maximum": 2**31 - 1}) == "whole number, 0 to 2^31 - 1"
    assert docs.kind({"type": "integer", "minimum": 1, "maximum": 1000}) == "whole number, 1 to 1,000"
    assert docs.kind({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}) == "time or null"
    assert docs.kind({"type": "array", "items": {"type": "string"}}) == "list of text"
    assert docs.kind({"type": "object", "additionalProperties": {"type": "number"}}) == "object of number"
    assert docs.kind({"enum": ["a", None]}) == "<code>a</code> or <code>null</code>"


def test_an_endpoint_is_explained_in_whole_sentences() -> None:
    for endpoint in ENDPOINTS:
        assert endpoint.description.endswith("."), endpoint.path
        assert all(parameter.description.endswith(".") for parameter in endpoint.parameters), endpoint.path
