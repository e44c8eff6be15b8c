"""Paths and what becomes of them; and strategies for any paths, and for any ROUTES."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.grammar import MAX_PATH

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
patterns = st.lists(
    st.builds(
        lambda segments, end: "/" + "/".join([*segments, *end]),
        st.lists(st.sampled_from(["shop", "users", "{a}", "{b}", "a.b", "", "42"]), max_size=4),
        st.sampled_from([[], [], ["{rest*}"]]),
    ),
    max_size=8,
).map(",".join)
