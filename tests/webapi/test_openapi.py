"""The API's document: valid, complete, and true to what is declared."""

from __future__ import annotations

from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from webapi.endpoints import ENDPOINTS
from webapi.openapi import document

DOCUMENT = document()


def test_the_document_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [item["get"]["operationId"] for item in DOCUMENT["paths"].values()]
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


def test_it_is_served(refusing: FlaskClient) -> None:
    answer = refusing.get("/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json["paths"] == DOCUMENT["paths"]
