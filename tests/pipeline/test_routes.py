"""Route templates: what becomes of a path, in both forms."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigurationError
from pipeline.grammar import MAX_PATH
from pipeline.patterns import MAX_TEMPLATE
from pipeline.routes import OTHER, Routes
from pipeline.rules import RULES

RANDOM = "kQ4vXz81LmTqR0bYw7Pd"
UUID = "0190A3c4-7b1e-7c3d-9f00-00c04fd430c8"

TEMPLATES = {
    # Nothing to do.
    "/": "/",
    "/products": "/products",
    "/api/v1/cart": "/api/v1/cart",
    "/.env": "/.env",
    "/wp-login.php": "/wp-login.php",
    "/Café/%E2%82%AC": "/Café/%E2%82%AC",
    # The query string and the fragment go.
    "/search?q=lamp&page=2": "/search",
    "/search?": "/search",
    "/?next=/users/42": "/",
    "/users/42#top": "/users/{id}",
    "/a#b?c": "/a",
    # Numbers.
    "/users/42": "/users/{id}",
    "/users/42/orders/7": "/users/{id}/orders/{id}",
    "/42": "/{id}",
    "/0": "/{id}",
    "/offset/-5": "/offset/{id}",
    "/20250610": "/{id}",
    "/12345678901234567890123456789012345678901234567890": "/{id}",
    "/v2": "/v2",
    "/3.14": "/3.14",
    "/--5": "/--5",
    "/٤٢": "/٤٢",
    # UUIDs.
    f"/carts/{UUID}": "/carts/{uuid}",
    f"/carts/{UUID.lower()}/pay": "/carts/{uuid}/pay",
    f"/carts/{UUID.replace('-', '')}": "/carts/{hex}",
    # Dates.
    "/reports/2025-06-10": "/reports/{date}",
    "/reports/2025-06-10T10:41:40Z": "/reports/{date}",
    "/reports/2025-06-10T10:41:40.123+02:00": "/reports/{date}",
    "/reports/2025-06-10T10%3A41%3a40%2B02:00": "/reports/{date}",
    "/reports/2025-13-10": "/reports/2025-13-10",
    "/reports/2025/06/10/summary": "/reports/{id}/{id}/{id}/summary",
    # E-mail addresses.
    "/users/ada@example.org": "/users/{email}",
    "/users/ada.b+c%2Bd%40mail.example.co.uk/keys": "/users/{email}/keys",
    "/users/ada@163.com": "/users/{email}",
    "/users/ada@localhost": "/users/ada@localhost",
    "/@angular/core": "/@angular/core",
    "/vue@2.6.14/vue.js": "/vue@2.6.14/vue.js",
    "/logo@2x.png": "/logo@2x.png",
    # Hexadecimal.
    "/commits/4f3a9c1b": "/commits/{hex}",
    "/commits/DEADBEEF": "/commits/{hex}",
    "/commits/4f3a9c1": "/commits/4f3a9c1",
    "/facade": "/facade",
    # Long and random, or long.
    f"/reset/{RANDOM}": "/reset/{token}",
    f"/reset/{RANDOM[:19]}": f"/reset/{RANDOM[:19]}",
    "/reset/abcdefghijklmnopqr0=": "/reset/{token}",
    "/reset/0a------------------": "/reset/{token}",
    "/reset/------------------a0": "/reset/{token}",
    "/blog/ten-things-to-do-in-2025": "/blog/ten-things-to-do-in-2025",
    "/blog/how-the-garden-lamps-are-made": "/blog/how-the-garden-lamps-are-made",
    "/how-the-lamps-are-made/h264/how-the-desks-are-made": "/how-the-lamps-are-made/h264/how-the-desks-are-made",
    "/" + "x" * 48: "/" + "x" * 48,
    "/" + "x" * 49: "/{token}",
    "/" + "é" * 48: "/" + "é" * 48,
    "/" + "é" * 49: "/{token}",
    "/" + "x" * 42 + ".html": "/" + "x" * 42 + ".html",
    "/" + "x" * 43 + ".html": "/{token}.html",
    "/" + "x" * 47 + ".1": "/{token}",
    "/wp-" + "x" * 60 + ".42.js": "/{token}.js",
    # An extension stays, and a name before.
    "/invoices/42.pdf": "/invoices/{id}.pdf",
    "/invoices/42.tar.gz": "/invoices/42.tar.gz",
    "/songs/42.mp3": "/songs/{id}.mp3",
    "/songs/42.torrent": "/songs/42.torrent",
    f"/files/{UUID}.json": "/files/{uuid}.json",
    "/files/2025-06-10.csv": "/files/{date}.csv",
    f"/files/{RANDOM}.webp": "/files/{token}.webp",
    "/static/app.4f3a9c1b.js": "/static/app.{hex}.js",
    "/static/app.17.js": "/static/app.{id}.js",
    f"/static/chunk-vendors.{RANDOM}.css": "/static/chunk-vendors.{token}.css",
    "/static/jquery-3.6.js": "/static/jquery-3.6.js",
    "/static/jquery.min.js": "/static/jquery.min.js",
    "/static/app.4f3a9c1b": "/static/app.4f3a9c1b",
    # Slashes stay, at the end and repeated; so does case.
    "/users/42/": "/users/{id}/",
    "//42///users//": "//{id}///users//",
    "/Users/42": "/Users/{id}",
    # The eleventh segment and what follows.
    "/a/b/c/d/e/f/g/h/i/42": "/a/b/c/d/e/f/g/h/i/{id}",
    "/a/b/c/d/e/f/g/h/i/42/": "/a/b/c/d/e/f/g/h/i/{id}/{rest}",
    "/a/b/c/d/e/f/g/h/i/j/k/42": "/a/b/c/d/e/f/g/h/i/j/{rest}",
    "/" * MAX_PATH: "/" * 11 + "{rest}",
    # What looks like a template, or like what a replacement would say.
    "/users/{id}": "/users/{id}",
    "/$1/${1}/\\1/42": "/$1/${1}/\\1/{id}",
}

OURS = "/shop/{slug}/reviews, /shop/sale\n/shop/{slug}, /users/me /files/{path*} /{lang}/about /a.b/{c} /42 /x/"

CHOSEN = {
    "/shop/garden-lamp-3/reviews": "/shop/{slug}/reviews",
    "/shop/42/reviews?page=2": "/shop/{slug}/reviews",
    "/shop/sale": "/shop/sale",
    "/shop/42": "/shop/{slug}",
    "/shop/": "/shop/",
    "/shop/42/": "/shop/{id}/",
    "/shop//reviews": "/shop//reviews",
    "/Shop/42": "/Shop/{id}",
    "/users/me": "/users/me",
    "/users/42": "/users/{id}",
    "/files/": "/files/{path*}",
    "/files/a/42/c": "/files/{path*}",
    "/files": "/files",
    "/files" + "/a" * 20: "/files/{path*}",
    "/de/about": "/{lang}/about",
    "/aXb/42": "/aXb/{id}",
    "/a.b/42": "/a.b/{c}",
    "/42": "/42",
    "/43": "/{id}",
    "/x/": "/x/",
}

_segments = st.one_of(
    st.sampled_from(
        [
            "",
            "",
            "api",
            "v1",
            "shop",
            "users",
            "files",
            "reviews",
            "about",
            "sale",
            "{id}",
            "{token}.js",
            "a.b",
            "me",
            ".",
        ]
    ),
    st.sampled_from(["how-the-lamps-are-made", "20-10-2025-to-20-11-2025", "h264", "kQ4vXz81LmTqR0bYw7Pd"]),
    st.integers(-(10**12), 10**12).map(str),
    st.uuids().map(str),
    st.uuids().map(lambda uuid: uuid.hex.upper()),
    st.from_regex(r"\A[0-9A-Fa-f]{6,10}\Z"),
    st.from_regex(r"\A[12][0-9]{3}-[01][0-9]-[0-3][0-9](T[0-9][0-9:.%3AaZ+-]{0,12})?\Z"),
    st.from_regex(r"\A[a-c.+]{0,4}(@|%40)[a-c0-3.-]{0,6}(\.[a-z]{1,3})?\Z"),
    st.text("abXY019_~=-.", min_size=15, max_size=60),
    st.integers(40, 52).flatmap(lambda size: st.text("xé1.😀", min_size=size, max_size=size)),
    st.from_regex(r"\A(%[0-9A-F]{2}){1,4}\Z"),
    st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=" /"), max_size=12),
)
_files = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "app.", "a1.", "a.b.", "x@y.", "é-.", "x" * 23 + ".", "x" * 24 + ".", "x" * 25 + "."]),
        _segments,
        st.sampled_from(["", ".js", ".j", ".min.js", ".woff2", ".abcdef", ".1", ".", ".é"]),
    ),
)
_tails = st.sampled_from(["", "", "/", "?", "?a=1/2", "#b", "?c#d"])
paths = st.one_of(
    st.builds(
        lambda segments, tail: ("/" + "/".join(segments) + tail)[:MAX_PATH],
        st.lists(_segments | _files, max_size=13),
        _tails,
    ),
    st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=" "), max_size=80).map("/".__add__),
)
_patterns = st.lists(
    st.builds(
        lambda segments, end: "/" + "/".join([*segments, *end]),
        st.lists(st.sampled_from(["shop", "users", "{a}", "{b}", "a.b", "", "42"]), max_size=4),
        st.sampled_from([[], [], ["{rest*}"]]),
    ),
    max_size=8,
).map(",".join)


def in_columns(routes: Routes, *paths: str | None) -> list[str | None]:
    return routes.templates(pl.Series("path", paths, dtype=pl.String)).to_list()


@pytest.mark.parametrize(("path", "template"), TEMPLATES.items())
def test_a_path_becomes_its_template(path: str, template: str) -> None:
    assert Routes().template(path).template == template
    assert in_columns(Routes(), path) == [template]


@pytest.mark.parametrize(("path", "template"), CHOSEN.items())
def test_the_first_pattern_of_routes_that_fits_goes_before_the_rules(path: str, template: str) -> None:
    routes = Routes.of(OURS)
    assert routes.template(path).template == template
    assert in_columns(routes, path) == [template]


def test_patterns_are_tried_in_their_order() -> None:
    for patterns, template in [("/a/{x},/a/b", "/a/{x}"), ("/a/b,/a/{x}", "/a/b"), ("/{x*},/a/b", "/{x*}")]:
        assert Routes.of(patterns).template("/a/b").template == template
        assert in_columns(Routes.of(patterns), "/a/b") == [template]


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


@given(st.lists(paths, max_size=8), st.sampled_from(["", OURS]) | _patterns)
@example(list(TEMPLATES), "")
@example([*TEMPLATES, *CHOSEN], OURS)
@settings(max_examples=200, deadline=None)
def test_both_forms_agree(some: list[str], patterns: str) -> None:
    routes = Routes.of(patterns)
    assert in_columns(routes, *some) == [routes.template(path).template for path in some]


@given(paths)
@settings(max_examples=400, deadline=None)
def test_a_template_is_bounded_a_path_and_its_own_template(path: str) -> None:
    template = Routes().template(path).template
    assert len(template) <= MAX_TEMPLATE
    assert template.startswith("/")
    assert not {"?", "#"} & set(template)
    assert template.count("/") == min(path.split("?")[0].split("#")[0].count("/"), 11)
    assert Routes().template(template).template == template


@given(st.lists(paths, max_size=8))
@settings(max_examples=30, deadline=None)
def test_what_a_path_becomes_depends_on_nothing_else(some: list[str]) -> None:
    routes = Routes.of(OURS)
    alone = [in_columns(routes, path)[0] for path in some]
    assert in_columns(routes, *reversed(some), *some) == [*reversed(alone), *alone]


def test_a_column_keeps_its_name_its_length_and_its_nulls() -> None:
    column = pl.Series("path", ["/users/1", None, "/users/2", "/users/1"])
    templates = Routes().templates(column)
    assert templates.name == "path"
    assert templates.dtype == pl.String
    assert templates.to_list() == ["/users/{id}", None, "/users/{id}", "/users/{id}"]
    assert column.to_list() == ["/users/1", None, "/users/2", "/users/1"]
    assert in_columns(Routes.of(OURS)) == in_columns(Routes()) == []
    assert in_columns(Routes.of(OURS), None) == [None]


def test_a_scan_of_the_longest_paths_all_distinct_is_a_few_routes() -> None:
    flood = [f"/{number}.php" * 9 + f"/{number:08x}" + "/x" * 900 for number in range(20_000)]
    assert set(in_columns(Routes.of(OURS), *flood)) <= {
        "/{id}.php" * 9 + "/{hex}/{rest}",
        "/{id}.php" * 9 + "/{id}/{rest}",
    }


def test_what_is_remembered_is_bounded_and_changes_nothing() -> None:
    routes = Routes()
    for start in range(0, 40_000, 4_000):
        paths = [f"/blog/{number}-lamps/{number}" for number in range(start, start + 4_000)]
        assert in_columns(routes, *paths) == [f"/blog/{number}-lamps/{{id}}" for number in range(start, start + 4_000)]
    assert in_columns(routes, "/" + "x/" * 1_000 + "42") == ["/x" * 10 + "/{rest}"]
    assert len(routes._known) <= 4_096
    assert max(map(len, routes._known)) <= MAX_TEMPLATE


def test_rules_have_words_for_people() -> None:
    assert [rule.name for rule in RULES] == ["email", "id", "uuid", "date", "hex", "token", "token"]
    assert all(rule.words for rule in RULES)
