"""The page for people who would rather look than read: a shell without any data, which its scripts ask for."""

from __future__ import annotations

from functools import cache
from typing import Final

import jinja2
import msgspec

from webapi.assets import assets
from webapi.html import templates

POLICY: Final = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_QUESTION: Final = "dashboard/first-question.js"
_ENTRY: Final = "dashboard/main.js"
# What the entry loads first there.
_FIRST: Final = {"/": "dashboard/traffic-page.js", "/pipeline": "dashboard/pipeline/pipeline-page.js"}


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a page must know of the pipeline that no number of it tells: the shell says it."""

    receiver_port: int = 8080
    discard_status: str = "200"
    demo_traffic: bool = False


def page(path: str, setup: Setup, host: str, keys: bool) -> str:
    """The page at `/` or `/pipeline`, as whoever asked for it at `host` sees it; with `keys`, questions need one.

    Browsers are told at once of all scripts that its first view needs, not as they find them; and that these
    are not urgent, so that the first question does not queue behind them.
    """
    return _template().render(
        assets=assets().root,
        modules=_modules(path),
        receiver_url=f"http://{host}:{setup.receiver_port}/upload",
        discard_status=setup.discard_status,
        keys=keys,
        demo_traffic=setup.demo_traffic,
    )


@cache
def _modules(path: str) -> list[str]:
    found = assets()
    wanted = dict.fromkeys([*found.scripts(_QUESTION), *found.scripts(_ENTRY, _FIRST[path])])
    return [found.path(name) for name in wanted]


@cache
def _template() -> jinja2.Template:
    return templates().get_template("dashboard.html")
