"""The receiver's OpenAPI 3.1 document."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pipeline.keyring import SECURITY
from pipeline.problem import CONTENT_TYPE, Problem
from receiver.declared import ENCODINGS, KEY_PATTERN
from receiver.upload import Accepted

Json = dict[str, Any]

VERSION: Final = "1.0"
_LINE: Final = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
    "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]) [0-9A-Fa-f:.]{2,45} [A-Z]{1,10} /[^ ]{0,2047} [1-5][0-9]{2}"
    " (0|[1-9][0-9]{0,9})ms$"
)
"""What every valid line looks like; the grammar has the last word."""
_EXAMPLE: Final = "2025-06-10T10:41:40Z 184.116.4.244 POST /products 500 971ms"
_UNKNOWN: Final = "Unknown: it may be counted or not. Send it again, with the same `Idempotency-Key`"
_PROBLEMS: Final = {
    "400": "Not a JSON array of strings in UTF-8, or a header that makes no sense. Nothing is kept.",
    "403": "A browser sent it for a page. Nothing is kept.",
    "408": "The body did not arrive in time. Nothing is kept.",
    "413": "More bytes or lines than are taken at once. Nothing is kept.",
    "415": "Not JSON, or in an encoding that is not known. Nothing is kept.",
    "422": "No line is valid; `errors` says why. Nothing is kept.",
    "503": f"{_UNKNOWN}, after `Retry-After` seconds.",
    "default": f"{_UNKNOWN}.",
}


_DENIED: Final = {
    "401": "No key, or one that is not known or was revoked. Nothing is kept.",
    "403": "The key is not for uploads. Nothing is kept.",
    "429": "More requests a second than the key allows. Nothing is kept. Send it again, after `Retry-After` seconds.",
}


def document(max_body_bytes: int, max_lines: int, keys: bool = False) -> Json:
    """The document of a receiver that takes so many bytes and lines an upload; with `keys`, only with an API key."""
    _, found = msgspec.json.schema_components((Accepted, Problem), ref_template="#/components/schemas/{name}")
    schemas: Json = msgspec.json.decode(msgspec.json.encode(found))  # defaults are tuples, which are no JSON
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tally receiver",
            "version": VERSION,
            "description": "Takes HTTP access logs. Each line of an upload that is answered with 202 is counted once.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/upload": {"post": _upload(max_body_bytes, max_lines, keys)},
            "/healthz": {"get": _get("healthz", "Whether this process answers", {"200": _json("It does.")})},
            "/readyz": {
                "get": _get(
                    "readyz",
                    "Whether its dependencies answer",
                    {"200": _json("They do."), "503": _json("One does not; each is named.")},
                )
            },
            "/metrics": {
                "get": _get(
                    "metrics",
                    "Counters, for Prometheus",
                    {
                        "200": {
                            "description": "The counters.",
                            "content": {"text/plain": {"schema": {"type": "string"}}},
                        }
                    },
                )
            },
            "/openapi.json": {"get": _get("openapi", "This document", {"200": _json("The document.")})},
        },
        "components": {"schemas": schemas} | ({"securitySchemes": {"key": SECURITY}} if keys else {}),
    }


def _upload(max_body_bytes: int, max_lines: int, keys: bool) -> Json:
    line = {"type": "string", "pattern": _LINE, "example": _EXAMPLE}
    lines = {"type": "array", "maxItems": max_lines, "items": line}
    request_id = {"X-Request-Id": {"description": "Names the request in the logs.", "schema": {"type": "string"}}}
    wait = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    problem = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {
        status: {
            "description": said,
            "headers": request_id | (wait if status in ("429", "503") else {}),
            "content": problem,
        }
        for status, said in (_PROBLEMS | (_DENIED if keys else {})).items()
    }
    accepted = {
        "description": "Each valid line will be counted exactly once; those that are not are named, the first 100.",
        "headers": request_id,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
    }
    return {
        "operationId": "upload",
        "summary": "Send lines",
        "description": (
            f"A JSON array of lines, at most {max_lines} lines and {max_body_bytes} bytes, of the form"
            " `time address method path status latency`. Lines are judged one by one. An empty array is welcome."
        ),
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "1 to 255 visible ASCII characters, another for each upload: sent again it counts once.",
                "schema": {"type": "string", "pattern": KEY_PATTERN},
                "example": "first-upload",
            },
            {
                "name": "Content-Encoding",
                "in": "header",
                "required": False,
                "description": "How the body is compressed. The limits hold for what it is without that.",
                "schema": {"type": "string", "enum": list(ENCODINGS), "default": "identity"},
            },
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": lines, "example": [_EXAMPLE]}}},
        "responses": {"202": accepted, **problems},
    } | ({"security": [{"key": []}]} if keys else {})


def _get(name: str, summary: str, responses: Json) -> Json:
    return {"operationId": name, "summary": summary, "responses": responses}


def _json(description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": {"type": "object"}}}}
