"""Route templates: what becomes of a path, and why."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from pipeline.errors import ConfigurationError
from pipeline.patterns import MAX_TEMPLATE
from pipeline.routes import OTHER, Routes
from pipeline.rules import RULES
from tests.pipeline.paths import CHOSEN, OURS, TEMPLATES, paths


@pytest.mark.parametrize(("path", "template"), TEMPLATES.items())
def test_a_path_becomes_its_template(path: str, template: str) -> None:
    assert Routes().template(path).template == template


@pytest.mark.parametrize(("path", "template"), CHOSEN.items())
def test_the_first_pattern_of_routes_that_fits_goes_before_the_rules(path: str, template: str) -> None:
    routes = Routes.of(OURS)
    assert routes.template(path).template == template


def test_patterns_are_tried_in_their_order() -> None:
    for patterns, template in [("/a/{x},/a/b", "/a/{x}"), ("/a/b,/a/{x}", "/a/b"), ("/{x*},/a/b", "/{x*}")]:
        assert Routes.of(patterns).template("/a/b").template == template


@pytest.mark.parametrize("patterns", ["", None, " ,\n"])
def test_without_patterns_the_rules_alone_decide(patterns: str | None) -> None:
    assert Routes.of(patterns) == Routes()


@pytest.mark.parametrize(
    "pattern",
    [
        OTHER, "shop/{slug}", "{slug}", "/shop/{Slug}", "/shop/{}", "/shop/{slug", "/shop/slug}", "/shop/{slug}.html",
        "/shop/{slug*}/reviews", "/shop/{1}", "/shop/{a-b}", "/shop/*{a}", "/search?q={q}", "/a#b", "/a\0b", "/a\x7f",
        "/" + "x" * MAX_TEMPLATE,
    ],
)  # fmt: skip
def test_a_pattern_that_makes_no_sense_is_named(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="ROUTES: ") as refused:
        Routes.of(f"/fine/{{x}}, {pattern}")
    assert repr(pattern)[1:30].rstrip("'") in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_pattern_may_be_as_long_as_a_template() -> None:
    longest = "/" + "x" * (MAX_TEMPLATE - 1)
    assert Routes.of(longest).template(longest).template == longest


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/products", "as it is"),
        ("/users/42", "{id}: 42 is a number"),
        ("/search?q=lamp", "?q=lamp dropped"),
        ("/7/app.4f3a9c1b.js#x", "{id}: 7 is a number; {hex}: 4f3a9c1b is 8 or more hexadecimal digits; #x dropped"),
        ("/a/b/c/d/e/f/g/h/i/j/k", "{rest}: past 10 segments"),
        ("/shop/42/reviews?a", "ROUTES /shop/{slug}/reviews; ?a dropped"),
    ],
)
def test_a_template_says_why(path: str, rule: str) -> None:
    assert Routes.of("/shop/{slug}/reviews").template(path).rule == rule


def test_an_explanation_stays_short() -> None:
    assert len(Routes().template("/" + "/".join(["1" * 200] * 10) + "?" + "x" * 40).rule) < 1000


@given(paths)
@settings(max_examples=400, deadline=None)
def test_a_template_is_bounded_a_path_and_its_own_template(path: str) -> None:
    template = Routes().template(path).template
    assert len(template) <= MAX_TEMPLATE
    assert template.startswith("/")
    assert not {"?", "#"} & set(template)
    assert template.count("/") == min(path.split("?")[0].split("#")[0].count("/"), 11)
    assert Routes().template(template).template == template


def test_rules_have_words_for_people() -> None:
    assert [rule.name for rule in RULES] == ["email", "id", "uuid", "date", "hex", "token", "token"]
    assert all(rule.words for rule in RULES)
