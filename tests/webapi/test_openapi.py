"""The API's document: valid, complete, and true to what is declared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from pipeline.models import DeadLetter
from pipeline.statistic import DIMENSIONS, SCOPES
from pipeline.storage import Store
from tests.stores import Seen, put
from tests.webapi.conftest import NOW
from webapi.answers import statistics
from webapi.endpoints import ENDPOINTS
from webapi.endpoints.endpoint import JSON, Endpoint
from webapi.openapi import document

DOCUMENT = document()
IN_JSON = [endpoint for endpoint in ENDPOINTS if endpoint.method == "GET" and JSON in endpoint.answers[200].content]
SERIES = ("requests", "errors", "latency", "requests&by=class", "errors&by=class")


def test_the_document_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))
    assert "logs_id" in names


def test_every_page_of_the_application_is_in_it(refusing: FlaskClient) -> None:
    rules = {rule.rule.replace("<number>", "{id}") for rule in refusing.application.url_map.iter_rules()}
    assert {rule for rule in rules if not rule.startswith("/static/")} == set(DOCUMENT["paths"])


def test_parameters_say_their_defaults_and_examples() -> None:
    (limit,) = (p for p in DOCUMENT["paths"]["/logs"]["get"]["parameters"] if p["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
    assert limit["example"] == 50
    (tail,) = (p for p in DOCUMENT["paths"]["/logs/tail"]["get"]["parameters"] if p["in"] == "header")
    assert (tail["name"], tail["required"]) == ("Last-Event-ID", False)


def test_every_answer_has_the_contracts_keys() -> None:
    line = DOCUMENT["components"]["schemas"]["LogLine"]
    assert line["required"] == ["id", "Timestamp", "IP", "Method", "Path", "Status", "LatencyMs", "Route"]


def test_each_endpoint_has_an_example_that_it_understands() -> None:
    for endpoint in ENDPOINTS:
        assert endpoint.example.split("?")[0].replace("/1", "/{id}") == endpoint.path


def as_declared(content: Any, struct: Any) -> Any:
    """What is left of JSON that is read as a struct: undeclared keys go."""
    return msgspec.json.decode(msgspec.json.encode(msgspec.convert(content, struct)))


def fill(store: Store) -> None:
    """Lines of the last hours and a dead letter, by which every answer has something in it."""
    put(
        store,
        [
            Seen(NOW - timedelta(minutes=7 * number), ip=f"10.0.0.{number}", status=(404, 500, 301)[number % 3])
            for number in range(60)
        ],
    )
    letter = {"stream": 1, "part": 0, "offset": 0, "reason": "time", "detail": "", "payload": b"x", "created_at": NOW}
    store.write(lambda: DeadLetter.insert(**letter).execute())


@pytest.mark.parametrize("endpoint", IN_JSON, ids=lambda endpoint: endpoint.path)
def test_each_example_is_answered_with_the_keys_that_are_declared(
    api: FlaskClient, store: Store, endpoint: Endpoint
) -> None:
    fill(store)
    newest = api.get("/logs").json["data"][0]["id"]
    letter = api.get("/dead-letters").json["data"][0]["id"]
    example = endpoint.example.replace("/logs/1", f"/logs/{newest}").replace(
        "/dead-letters/1", f"/dead-letters/{letter}"
    )
    answer = api.get(example)
    assert answer.status_code == 200, answer.text
    struct = endpoint.answers[200].content[JSON]
    assert as_declared(answer.json, struct) == answer.json


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("query", ["", "status=5xx&", "route=other&", "range=day&", "method=GET&range=week&"])
def test_every_statistic_has_the_keys_that_are_declared(api: FlaskClient, store: Store, query: str, scope: str) -> None:
    fill(store)

    def asked(path: str, struct: Any) -> Any:
        answer = api.get(f"{path}{query}scope={scope}")
        assert answer.status_code == 200, answer.text
        assert as_declared(answer.json, struct) == answer.json
        return answer.json

    for kind, struct in {
        "latency": statistics.Latency,
        "traffic": statistics.Traffic,
        "summary": statistics.Summary,
    }.items():
        data = asked(f"/stats?type={kind}&", statistics.StatsAnswer)["data"]
        assert as_declared(data, struct) == data
    for metric in SERIES:
        asked(f"/stats/series?metric={metric}&", statistics.SeriesAnswer)
    for by in DIMENSIONS:
        asked(f"/stats/top?by={by}&limit=1&", statistics.TopAnswer)


def test_it_is_served(refusing: FlaskClient) -> None:
    answer = refusing.get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json["paths"] == DOCUMENT["paths"]
