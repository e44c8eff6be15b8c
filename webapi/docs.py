"""The API's document as a page for people, made on the server: it runs no script and loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from markupsafe import Markup

from webapi import openapi
from webapi.assets import assets
from webapi.html import templates

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_SCHEMAS: Final = "#/components/schemas/"


@cache
def page() -> str:
    """The page."""
    environment = templates()
    environment.filters |= {"prose": prose, "kind": kind, "phrase": _phrase, "resolved": _resolved}
    document = openapi.document()
    return environment.get_template("docs.html").render(
        document=document,
        groups=list(_groups(document)),
        base_url=openapi.BASE_URL,
        style_path=assets().path("docs.css"),
    )


def prose(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else Markup("{}").format(part)
        for number, part in enumerate(parts)
    )


def kind(schema: dict[str, Any]) -> Markup:
    """What a JSON Schema allows, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMAS)
        return Markup('<a href="#{}">{}</a>').format(name, name)
    if "anyOf" in schema:
        return Markup(" or ").join(kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return Markup(" or ").join(Markup("<code>{}</code>").format(word or "null") for word in schema["enum"])
    if schema.get("type") == "array":
        return Markup("list of {}").format(kind(schema["items"]))
    if schema.get("type") == "object":
        rest = schema.get("additionalProperties")
        return Markup("object of {}").format(kind(rest)) if isinstance(rest, dict) else Markup("object")
    return Markup("{}").format(_plain(schema))


def _plain(schema: dict[str, Any]) -> str:
    name = {"date-time": "time", "date": "date"}.get(schema.get("format", "")) or {
        "string": "text",
        "integer": "whole number",
        "boolean": "true or false",
    }.get(schema.get("type", ""), schema.get("type", "anything"))
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is not None:
        return f"{name}, {_short(least or 0)} to {_short(most)}"
    return f"{name} from {least}" if least else name


def _short(number: float) -> str:
    """A bound as people write it: the greatest numbers of machines by their powers."""
    for power in (31, 63):
        if number == 2**power - 1:
            return f"2^{power} - 1"
    return "10^18 - 1" if number == 10**18 - 1 else f"{number:,}"


def _groups(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[tuple[str, str, dict[str, Any]]]]]:
    """Each tag with the methods, paths and operations that have it."""
    every = [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    for tag in document["tags"]:
        yield tag, [one for one in every if tag["name"] in one[2]["tags"]]


def _phrase(status: str) -> str:
    return HTTPStatus(int(status)).phrase


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer, also one that is only referred to."""
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = openapi.document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found
