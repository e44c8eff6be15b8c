"""Replies that are lost after the server did what was asked, and networks that swallow everything for a while."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from cli.child import wait_until
from tests.faults.load import Journal, load, more
from tests.faults.proxy import Proxy, proxied
from tests.integration.pipeline import PATIENCE, Pipeline

pytestmark = pytest.mark.real_only
Require = Callable[[], None]

# As it goes over the wire: MySQL's command byte and the statement.
COMMIT = b"\x03COMMIT"
LOST = 2
FROZEN_SECONDS = 10.0


@pytest.mark.parametrize(
    ("name", "server", "setting", "request_"),
    [
        ("consumer", "database", "DATABASE_URL", COMMIT),
        ("worker", "database", "DATABASE_URL", COMMIT),
        ("consumer", "redis", "REDIS_URL", b"enqueue"),
        ("worker", "redis", "REDIS_URL", b"ack"),
    ],
)
def test_whoever_does_not_hear_that_it_was_done_does_it_neither_twice_nor_never(
    pipeline: Pipeline,
    journal: Journal,
    require_exact: Require,
    name: str,
    server: str,
    setting: str,
    request_: bytes,
) -> None:
    with load(pipeline, journal, f"replies-{name}-{server}"), proxied(port(pipeline, server)) as proxy:
        assert more(journal, 5)
        through(pipeline, name, setting, proxy)
        for lost in range(1, LOST + 1):
            proxy.swallow(request_)
            assert wait_until(lambda lost=lost: proxy.swallowed == lost, PATIENCE), lost  # type: ignore[misc]
            assert more(journal, 5)
        directly(pipeline, name)
    require_exact()


@pytest.mark.parametrize(("server", "setting"), [("database", "DATABASE_URL"), ("redis", "REDIS_URL")])
def test_a_network_that_swallows_everything_for_a_while_costs_time_only(
    pipeline: Pipeline, journal: Journal, require_exact: Require, server: str, setting: str
) -> None:
    with load(pipeline, journal, f"black-hole-{server}"), proxied(port(pipeline, server)) as proxy:
        assert more(journal, 5)
        for name in ("consumer", "worker"):
            through(pipeline, name, setting, proxy)
        proxy.freeze()
        time.sleep(FROZEN_SECONDS)
        # Uploads are taken all the while.
        assert more(journal, 5)
        proxy.thaw()
        pipeline.require_ready()
        proxy.cut()
        pipeline.require_ready()
        for name in ("consumer", "worker"):
            directly(pipeline, name)
    require_exact()


def port(pipeline: Pipeline, server: str) -> int:
    """Where a server of the pipeline's listens."""
    return pipeline.backend.servers[server].port


def through(pipeline: Pipeline, name: str, setting: str, proxy: Proxy) -> None:
    """Starts a process anew, which reaches one server through a proxy."""
    pipeline[name].stop(PATIENCE)
    url = re.sub(r":\d+/", f":{proxy.port}/", pipeline.environment[setting])
    pipeline.start(name, **{setting: url})
    pipeline.require_ready(name)


def directly(pipeline: Pipeline, name: str) -> None:
    """Starts a process anew, as it should be."""
    pipeline[name].stop(PATIENCE)
    pipeline.start(name)
    pipeline.require_ready(name)
