"""The web API's OpenAPI 3.1 document, made from what is declared of its endpoints, parameters and answers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import msgspec

from pipeline.keyring import SECURITY
from pipeline.problem import CONTENT_TYPE, Problem
from webapi.answers import overview, statistics
from webapi.conditional import REVALIDATED
from webapi.endpoints import ENDPOINTS
from webapi.endpoints.endpoint import JSON, Answer, Endpoint
from webapi.parameter import Parameter

Json = dict[str, Any]

VERSION: Final = "1.0"
BASE_URL: Final = "http://127.0.0.1:8081"
"""Where the examples ask: the default of WEBAPI_HOST and WEBAPI_PORT."""

_DESCRIPTION = (
    "HTTP access logs, every line accounted for: the stored lines, statistics over them and over all traffic, and the"
    " ledger. All times are RFC 3339 in UTC. An empty parameter is absent, `_` is ignored, one that is unknown or given"
    " twice is refused. Every error is a problem (RFC 9457) that names what is wrong."
)
_GROUPS: Final = {
    "Lines": "Single requests, filtered and searched. Stored are those that `DISCARD_STATUS` does not discard.",
    "Statistics": "Counts, latencies and visitors of windows of time.",
    "Ledger": "The proof that no line is missing.",
    "Session": "Logging in with a page, where API keys are required.",
    "Operation": "For probes, monitoring, and a first look.",
    "About": "What describes this API.",
}
_HEADERS: Final[dict[str, Json]] = {
    "X-Request-Id": {"description": "Names the request in the logs; yours, where you sent one.", "required": True},
    "ETag": {"description": "Send it back as `If-None-Match`, and an answer that did not change is a 304."},
    "Link": {"description": '`rel="next"`: the next page.'},
    "Age": {"description": "How many seconds ago it was computed.", "schema": {"type": "integer", "minimum": 0}},
    "X-Cache": {
        "description": "Whether the cache had it.",
        "schema": {"type": "string", "enum": ["hit", "miss"]},
    },
    "Server-Timing": {"description": "How many milliseconds each part took, for your browser's tools."},
    "Retry-After": {"description": "Ask again after so many seconds.", "schema": {"type": "integer", "minimum": 0}},
    "Content-Disposition": {"description": "A name for the file."},
    "Set-Cookie": {"description": "The session."},
}
_DENIED: Final = (401, 403, 429)
_PROBLEMS: Final = {
    400: "A parameter, or the body, cannot be understood; the problem names what.",
    404: "There is no such line or letter, or nobody allowed it here.",
    401: "No API key, or one that is not known or was revoked.",
    403: "The API key is for something else, or the request comes from another site's page.",
    409: "It cannot be done as things are; the problem says why.",
    415: "The body is not said to be JSON.",
    429: "So many streams are open already, or the API key made so many requests within the second.",
    503: "What it takes does not answer now, or not in time; the problem names it.",
}


@cache
def document(keys: bool = False) -> Json:
    """The document of all endpoints; with `keys`, of a server that asks for API keys."""
    structs = {struct for endpoint in ENDPOINTS for struct in _structs(endpoint)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tally",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": said} for name, said in _GROUPS.items()],
        "paths": _paths(keys),
        "components": {
            "schemas": _schemas(structs),
            "headers": {name: {"schema": {"type": "string"}} | said for name, said in _HEADERS.items()},
            "responses": {_name(status): _problem(status) for status in _PROBLEMS} | {"Problem": _problem(None)},
            **({"securitySchemes": {"key": SECURITY}} if keys else {}),
        },
    }


def _paths(keys: bool) -> Json:
    found: Json = {}
    for endpoint in ENDPOINTS:
        operation = _operation(endpoint, keys and endpoint.scope is not None)
        found.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return found


def _operation(endpoint: Endpoint, keyed: bool) -> Json:
    problems = {*endpoint.problems, *(_DENIED if keyed else ())}
    return {
        "tags": [endpoint.group],
        "operationId": endpoint.path.strip("/").translate(str.maketrans("/.", "__", "{}")) or "index",
        "summary": endpoint.summary,
        "description": endpoint.description,
        "parameters": [
            *_parameters(endpoint.in_path, "path"),
            *_parameters(endpoint.parameters, "query"),
            *_parameters(endpoint.in_header, "header"),
        ],
        **({"requestBody": _body(endpoint.body)} if endpoint.body else {}),
        "responses": {
            **{str(status): _answer(endpoint, answer) for status, answer in endpoint.answers.items()},
            **({"304": _unchanged()} if _is_revalidated(endpoint) else {}),
            **{str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted(problems)},
            "default": {"$ref": "#/components/responses/Problem"},
        },
        "x-codeSamples": [{"lang": "sh", "label": "curl", "source": _sample(endpoint)}],
        **({"security": [{"key": []}]} if keyed else {}),
    }


def _parameters(known: Iterable[Parameter[Any]], place: str) -> list[Json]:
    found = []
    for parameter in known:
        default = {"default": parameter.default} if isinstance(parameter.default, str | int) else {}
        example = {"example": parameter.example} if parameter.example != "" else {}
        found.append(
            {
                "name": parameter.name,
                "in": place,
                "required": place == "path",
                "description": parameter.description,
                "schema": {**parameter.schema, **default},
                **example,
            }
        )
    return found


def _is_revalidated(endpoint: Endpoint) -> bool:
    return endpoint.method == "GET" and bool(REVALIDATED.intersection(endpoint.answers[200].content))


def _sample(endpoint: Endpoint) -> str:
    if endpoint.method == "GET":
        return f"curl -s '{BASE_URL}{endpoint.example}'"
    sent = f"-H 'Content-Type: application/json' -d '{endpoint.sent}'"
    return f"curl -s {sent} '{BASE_URL}{endpoint.example}'"


def _body(struct: Any) -> Json:
    return {"required": True, "content": {JSON: {"schema": _content(struct)}}}


def _answer(endpoint: Endpoint, answer: Answer) -> Json:
    names = ("X-Request-Id", *answer.headers, *(("ETag",) if _is_revalidated(endpoint) else ()))
    return {
        "description": answer.description,
        "headers": _refer(names),
        "content": {media: {"schema": _content(struct)} for media, struct in answer.content.items()},
    }


def _content(struct: Any) -> Json:
    if struct is None:
        return {"type": "string"}
    return {"type": "object"} if struct is dict else {"$ref": f"#/components/schemas/{struct.__name__}"}


def _unchanged() -> Json:
    return {"description": "It is as the ETag that you sent says.", "headers": _refer(("X-Request-Id", "ETag"))}


def _problem(status: int | None) -> Json:
    names = ("X-Request-Id", "Retry-After") if status in (429, 503) else ("X-Request-Id",)
    return {
        "description": _PROBLEMS[status] if status else "Whatever else goes wrong.",
        "headers": _refer(names),
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _refer(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _name(status: int) -> str:
    return HTTPStatus(status).name.title().replace("_", "")


def _structs(endpoint: Endpoint) -> Iterable[Any]:
    for answer in endpoint.answers.values():
        yield from (struct for struct in answer.content.values() if struct not in (None, dict))
    if endpoint.body is not None:
        yield endpoint.body


def _schemas(structs: Iterable[Any]) -> Json:
    """The schemas of answers. A statistic's data is one of some structs, or counts by status, and a part of an overview
    may be broken: no type says that.
    """
    of_data = (statistics.Latency, statistics.Traffic, statistics.Summary)
    ordered = sorted(
        {*structs, *of_data, *overview.PARTS.values(), overview.Broken, Problem},
        key=lambda struct: str(struct.__name__),
    )
    _, found = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    schemas: Json = msgspec.json.decode(msgspec.json.encode(found))  # defaults are tuples, which are no JSON
    counts = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
    refer = [{"$ref": f"#/components/schemas/{struct.__name__}"} for struct in of_data]
    schemas["StatsAnswer"]["properties"]["data"] = {"anyOf": [*refer, counts]}
    for name, struct in overview.PARTS.items():
        schemas["OverviewAnswer"]["properties"][name] = {"anyOf": [_content(struct), _content(overview.Broken)]}
    return schemas
