"""The page for people who would rather look than read: a shell without any data, which its scripts ask for."""

from __future__ import annotations

from functools import cache
from typing import Final

import jinja2
import msgspec

from webapi.assets import assets
from webapi.html import templates

POLICY: Final = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
# Scripts of these folders the first view imports: browsers are told of all at once, not as they find them.
_PRELOADED: Final = ("dashboard/", "vendor/")
# What is below is loaded where somebody goes there.
_LATER: Final = "dashboard/pipeline/"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a page must know of the pipeline that no number of it tells: the shell says it."""

    receiver_port: int = 8080
    discard_status: str = "200"


def page(setup: Setup, host: str, keys: bool) -> str:
    """The page, as whoever asked for it at `host` sees it; with `keys`, questions need one."""
    found = assets()
    scripts = [name for name in found.files if name.endswith(".js") and name.startswith(_PRELOADED)]
    return _template().render(
        assets=found.root,
        modules=[found.path(name) for name in scripts if not name.startswith(_LATER)],
        receiver_url=f"http://{host}:{setup.receiver_port}/upload",
        discard_status=setup.discard_status,
        keys=keys,
        demo=False,
    )


@cache
def _template() -> jinja2.Template:
    return templates().get_template("dashboard.html")
