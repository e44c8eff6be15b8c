"""`tally route`: what a path is counted as, and why."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner, Result

from cli.main import tally
from pipeline.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {field.upper() for field in Settings.model_fields} & os.environ.keys():
        monkeypatch.delenv(name)


def asked(*arguments: str, routes: str = "") -> Result:
    return CliRunner().invoke(tally, ["route", *arguments], env={"ROUTES": routes} if routes else {})


def test_each_path_is_shown_with_its_route_and_the_rule() -> None:
    result = asked("/users/42?page=2", "/products")
    assert result.exit_code == 0
    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        ["path", "route", "rule"],
        ["/users/42?page=2", "/users/{id}", "{id}: 42 is a number; ?page=2 dropped"],
        ["/products", "/products", "as it is"],
    ]


def test_routes_of_the_settings_go_first() -> None:
    result = asked("/shop/42/reviews", routes="/shop/{slug}/reviews,/files/{path*}")
    assert result.stdout.splitlines()[1:] == ["/shop/42/reviews\t/shop/{slug}/reviews\tROUTES /shop/{slug}/reviews"]


def test_json_is_one_object_a_line() -> None:
    result = asked("--json", "/users/42", "/Café")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"path": "/users/42", "route": "/users/{id}", "rule": "{id}: 42 is a number"},
        {"path": "/Café", "route": "/Café", "rule": "as it is"},
    ]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("users/42", "starts with /"),
        ("", "starts with /"),
        ("/a b", "no space"),
        ("/a\x1b[2J", "no control characters"),
        ("/" + "x" * 2048, "at most 2048 characters"),
        ("/\udcff", "surrogate"),
    ],
)
def test_what_no_line_could_have_as_its_path_is_a_mistake_of_usage(path: str, words: str) -> None:
    result = asked("/fine", path)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_no_path_is_a_mistake_of_usage() -> None:
    assert asked().exit_code == 2


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_routes_that_make_no_sense_end_with_78(as_json: list[str]) -> None:
    result = asked(*as_json, "/users/42", routes="/fine, shop/{slug}")
    assert result.exit_code == 78
    assert "ROUTES: 'shop/{slug}' does not start with a slash" in result.stderr
    assert result.stdout == ""
