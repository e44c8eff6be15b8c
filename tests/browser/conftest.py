"""A web API over known lines, or a whole pipeline, and a browser in front of it.

A page fails its test with any error of a script, anything that the policy refused, and any request that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.tether import Tether
from pipeline import api_keys
from pipeline.storage import Store
from tests.browser import chromium, seeded
from tests.browser.watched import Watched
from tests.integration.pipeline import Pipeline, running
from tests.servers import Backend
from tests.stores import Seen


class Site(NamedTuple):
    """A web API's address, the lines in its database, and where it says that lines are sent."""

    url: str
    lines: list[Seen]
    receiver: str


class Guarded(NamedTuple):
    """A web API that asks for keys: one that may read, and one that may change something, too."""

    url: str
    reader: str
    admin: str
    database: str


class Prepared(NamedTuple):
    """A database that is to be filled, and where a web API over it will answer."""

    url: str
    database: str
    store: Store
    receiver: str


Prepare = Callable[..., AbstractContextManager[Prepared]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file, since its driver occupies this thread's event loop; each has a context."""
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
    """The dashboard over known lines, which has its numbers and listens to keys."""
    opened = watched.open(site.url)
    expect(opened.locator(".ranking tbody .key").first).to_be_visible()
    return opened


@pytest.fixture(scope="session")
def servers(running_backends: Callable[[str], Backend]) -> Backend:
    """The embedded servers: what people see does not depend on which there are."""
    return running_backends("embedded")


@pytest.fixture(scope="session")
def site(prepare: Prepare) -> Site:
    """A web API over the lines of `seeded`; no test changes them."""
    with prepare() as prepared:
        lines = seeded.seed(prepared.store, datetime.now(UTC))
    return Site(prepared.url, lines, prepared.receiver)


@pytest.fixture(scope="session")
def empty_site(prepare: Prepare) -> Site:
    """A web API that never had a line."""
    with prepare() as prepared:
        return Site(prepared.url, [], prepared.receiver)


@pytest.fixture(scope="session")
def guarded_site(prepare: Prepare) -> Guarded:
    """A web API over the same lines, behind a guard."""
    with prepare(REQUIRE_API_KEYS="1") as prepared:
        seeded.seed(prepared.store, datetime.now(UTC))
        reader = api_keys.create(prepared.store, "reader", frozenset(["read"]), None)
        admin = api_keys.create(prepared.store, "admin", frozenset(["read", "admin"]), None)
    return Guarded(prepared.url, reader, admin, prepared.database)


@pytest.fixture(scope="session")
def prepare(servers: Backend, tether: Tether, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepare]:
    """Makes databases to fill, and starts a web API over each once it is filled."""
    started: list[Pipeline] = []

    @contextmanager
    def prepare(**settings: str) -> Iterator[Prepared]:
        pipeline = Pipeline(servers, tether, tmp_path_factory.mktemp("site"), **settings)
        started.append(pipeline)
        database = pipeline.environment["DATABASE_URL"]
        store = Store.open(database)
        yield Prepared(f"http://{pipeline.url('webapi')}", database, store, f"http://{pipeline.url('receiver')}")
        store.disconnect()
        pipeline.start("webapi")
        pipeline.require_ready("webapi")

    yield prepare
    for pipeline in started:
        pipeline.kill()


@pytest.fixture(scope="session")
def pipeline(servers: Backend, tether: Tether, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """All five processes, ready, for tests that need lines to arrive: `http://{pipeline.url("webapi")}`."""
    with running(servers, tether, tmp_path_factory.mktemp("pipeline")) as pipeline:
        yield pipeline
