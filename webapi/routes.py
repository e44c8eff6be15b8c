"""Which view answers at which path. What the API's document says of each is in `endpoints`."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from webapi.assets import ROUTE
from webapi.login import Door
from webapi.pages import Pages
from webapi.site import Site

Route = tuple[Callable[..., Response], str]


def routes(pages: Pages, site: Site, door: Door) -> tuple[Route, ...]:
    """Each view, and its path as Flask has it."""
    return (
        (door.session, "/session"),
        (door.login, "/login"),
        (door.logout, "/logout"),
        (site.index, "/"),
        (site.pipeline, "/pipeline"),
        (site.docs, "/docs"),
        (site.no_asset, ROUTE),
        (pages.logs, "/logs"),
        (pages.export, "/logs/export"),
        (pages.tail, "/logs/tail"),
        (pages.line, "/logs/<number>"),
        (pages.stats, "/stats"),
        (pages.series, "/stats/series"),
        (pages.top, "/stats/top"),
        (pages.overview, "/overview"),
        (pages.preview, "/rules/preview"),
        (pages.flow, "/pipeline/status"),
        (pages.ledger, "/ledger"),
        (pages.days, "/ledger/days"),
        (pages.dead_letters, "/dead-letters"),
        (pages.dead_letter, "/dead-letters/<number>"),
        (pages.retry, "/dead-letters/<number>/retry"),
        (pages.demo_traffic, "/demo-traffic"),
        (pages.healthz, "/healthz"),
        (pages.readyz, "/readyz"),
        (pages.metrics, "/metrics"),
        (pages.openapi, "/openapi.json"),
    )
