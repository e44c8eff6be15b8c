"""Route templates in columns: the same as one by one, whatever else is in the column."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.patterns import MAX_TEMPLATE
from pipeline.routes import Routes
from tasks.templates import Templates
from tests.pipeline.paths import CHOSEN, OURS, TEMPLATES, paths, patterns


def told(known: Templates, *some: str | None) -> list[str | None]:
    return known.of(pl.Series("path", some, dtype=pl.String)).to_list()


def templates(said: str, *some: str | None) -> list[str | None]:
    """Their templates by these ROUTES."""
    return told(Templates(Routes.of(said)), *some)


@given(st.lists(paths, max_size=8), st.sampled_from(["", OURS]) | patterns)
@example(list(TEMPLATES), "")
@example([*TEMPLATES, *CHOSEN], OURS)
@settings(max_examples=200, deadline=None)
def test_a_column_becomes_what_each_of_its_paths_does(some: list[str], said: str) -> None:
    assert templates(said, *some) == [Routes.of(said).template(path).template for path in some]


@pytest.mark.parametrize(("path", "template"), TEMPLATES.items())
def test_a_path_alone_becomes_its_template(path: str, template: str) -> None:
    assert templates("", path) == [template]


@pytest.mark.parametrize(("path", "template"), CHOSEN.items())
def test_the_first_pattern_that_fits_a_path_alone_goes_before_the_rules(path: str, template: str) -> None:
    assert templates(OURS, path) == [template]


def test_patterns_are_tried_in_their_order() -> None:
    for said, template in [("/a/{x},/a/b", "/a/{x}"), ("/a/b,/a/{x}", "/a/b"), ("/{x*},/a/b", "/{x*}")]:
        assert templates(said, "/a/b") == [template]


@given(st.lists(paths, max_size=8))
@settings(max_examples=30, deadline=None)
def test_what_a_path_becomes_depends_on_nothing_else(some: list[str]) -> None:
    known = Templates(Routes.of(OURS))
    alone = [told(known, path)[0] for path in some]
    assert told(known, *reversed(some), *some) == [*reversed(alone), *alone]


def test_a_column_keeps_its_name_its_length_and_its_nulls() -> None:
    column = pl.Series("path", ["/users/1", None, "/users/2", "/users/1"])
    found = Templates(Routes()).of(column)
    assert found.name == "path"
    assert found.dtype == pl.Enum(["/users/{id}"])
    assert found.to_list() == ["/users/{id}", None, "/users/{id}", "/users/{id}"]
    assert column.to_list() == ["/users/1", None, "/users/2", "/users/1"]
    assert templates(OURS) == templates("") == []
    assert templates(OURS, None) == [None]


def test_a_scan_of_the_longest_paths_all_distinct_is_a_few_routes() -> None:
    flood = [f"/{number}.php" * 9 + f"/{number:08x}" + "/x" * 900 for number in range(20_000)]
    assert set(templates(OURS, *flood)) <= {
        "/{id}.php" * 9 + "/{hex}/{rest}",
        "/{id}.php" * 9 + "/{id}/{rest}",
    }


def test_what_is_remembered_is_bounded_and_changes_nothing() -> None:
    known = Templates(Routes())
    for start in range(0, 40_000, 4_000):
        some = [f"/blog/{number}-lamps/{number}" for number in range(start, start + 4_000)]
        assert told(known, *some) == [f"/blog/{number}-lamps/{{id}}" for number in range(start, start + 4_000)]
    assert told(known, "/" + "x/" * 1_000 + "42") == ["/x" * 10 + "/{rest}"]
    assert len(known._known) <= 4_096
    assert max(map(len, known._known)) <= MAX_TEMPLATE
