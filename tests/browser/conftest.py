"""A web API over known lines, or a whole pipeline, and a browser in front of it.

A page fails its test with any error of a script, anything that the policy refused, and any request that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from cli.tether import Tether
from pipeline import schema
from pipeline.cache import Cache
from pipeline.keyring import ApiKey, Keyring, digest, minted
from pipeline.storage import Store
from tests.browser import chromium, seeded
from tests.browser.watched import Watched
from tests.cli.web import served
from tests.integration.pipeline import Pipeline, running
from tests.servers import Backend
from tests.stores import Seen
from webapi.app import compose
from webapi.metrics import Metrics
from webapi.streams import Streams


class Site(NamedTuple):
    """A served web API, its database, and the lines in it."""

    url: str
    store: Store
    lines: list[Seen]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each has a context of its own."""
    with chromium.running() as browser:
        yield browser


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A context without cookies whose pages are watched: `watched.open(url)`, `watched.expected`."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(10_000)
    watched = Watched(context)
    yield watched
    context.close()
    assert watched.complaints() == []


@pytest.fixture
def page(watched: Watched, site: Site) -> Page:
    """The dashboard over known lines."""
    return watched.open(site.url)


@pytest.fixture(scope="session")
def servers(running_backends: Callable[[str], Backend]) -> Backend:
    """The embedded servers: what people see does not depend on which there are."""
    return running_backends("embedded")


@pytest.fixture(scope="session")
def site(servers: Backend) -> Iterator[Site]:
    """A web API over the lines of `seeded`; no test changes them."""
    store = _new_store(servers)
    lines = seeded.seed(store, datetime.now(UTC))
    with _over(store, servers) as url:
        yield Site(url, store, lines)


@pytest.fixture(scope="session")
def empty_site(servers: Backend) -> Iterator[Site]:
    """A web API that never had a line."""
    store = _new_store(servers)
    with _over(store, servers) as url:
        yield Site(url, store, [])


class Guarded(NamedTuple):
    """A web API that asks for keys: one that may read and one that may change something, too."""

    url: str
    reader: str
    admin: str
    keyring: Keyring


@pytest.fixture
def guarded_site(servers: Backend, site: Site) -> Iterator[Guarded]:
    """The same lines behind a guard."""
    (reader_id, reader), (admin_id, admin) = minted(), minted()
    keyring = Keyring()
    keyring.replace(
        [
            ApiKey(reader_id, digest(reader), frozenset(["read"])),
            ApiKey(admin_id, digest(admin), frozenset(["read", "admin"])),
        ]
    )
    with _over(site.store, servers, keyring) as url:
        yield Guarded(url, reader, admin, keyring)


@pytest.fixture(scope="session")
def pipeline(servers: Backend, tether: Tether, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """All five processes, ready, for tests that need lines to arrive: `http://{pipeline.url("webapi")}`."""
    with running(servers, tether, tmp_path_factory.mktemp("pipeline")) as pipeline:
        yield pipeline


def _new_store(servers: Backend) -> Store:
    url = servers.new_database()
    schema.migrate(url)
    return Store.open(url)


@contextmanager
def _over(store: Store, servers: Backend, keyring: Keyring | None = None) -> Iterator[str]:
    cache = Cache.open(servers.environment()["CACHE_URL"])
    streams = Streams()
    app = compose(store, cache, Metrics(), lambda: datetime.now(UTC), streams, keyring=keyring)
    with served(app, threads=True) as url:
        yield url
        streams.stop()
