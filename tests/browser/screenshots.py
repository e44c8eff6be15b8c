"""Pictures of both pages to look at: empty, busy and broken, wide and narrow, light and dark.

`python -m tests.browser.screenshots [DIRECTORY]`, by default `.tally/screenshots`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.moment import rfc3339
from tests.browser import chromium, seeded
from tests.integration.pipeline import Pipeline, running_on

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES: Final = {"traffic": "/?range=24h", "pipeline": "/pipeline"}
SIZES: Final = {"wide": (1440, 900), "narrow": (390, 844)}
THEMES: Final = ("light", "dark")
# Seconds after which a page has its numbers, and after which what waits is behind.
_DRAWN, _SETTLED, _LATE = 2.0, 0.5, 12.0


def main(directory: str = ".tally/screenshots") -> int:
    """Takes them all, with a pipeline of its own on embedded servers; returns an exit code."""
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    with running_on("embedded", DEMO_TRAFFIC="1") as pipeline, chromium.running() as browser:
        for state in _states(pipeline):
            for path in _taken(browser, f"http://{pipeline.url('webapi')}", state, target):
                sys.stdout.write(f"{path}\n")
    return 0


def _states(pipeline: Pipeline) -> Iterator[str]:
    """Brings the pipeline into each state in turn."""
    yield "empty"
    for _ in range(5):
        _send(pipeline)
    pipeline.settle()
    yield "busy"
    pipeline["worker"].kill()
    _send(pipeline)
    time.sleep(_LATE)
    yield "broken"
    pipeline.backend.servers["cache"].kill()
    yield "cacheless"


def _send(pipeline: Pipeline) -> None:
    """Sends the lines of a day, and some that cannot be stored."""
    now = datetime.now(UTC)
    lines = [
        f"{rfc3339(one.at)} {one.ip} {one.method} {one.path} {one.status} {one.latency_ms}ms"
        for one in seeded.lines(now, time.monotonic_ns())
    ]
    refused = ["yesterday 192.0.2.7 GET /cart 404 3ms", f"{rfc3339(now)} 192.0.2.300 GET /cart 404 3ms"]
    if pipeline.upload([*lines, *refused]).status != 202:
        raise RuntimeError("the receiver did not take the lines")


def _taken(browser: Browser, url: str, state: str, target: Path) -> Iterator[Path]:
    for theme in THEMES:
        for size, (width, height) in SIZES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                locale="en-GB",
                timezone_id="UTC",
            )
            for name, path in PAGES.items():
                page = context.new_page()
                page.goto(url + path)
                page.mouse.wheel(0, 20_000)  # what is far below comes when somebody goes there
                time.sleep(_DRAWN)
                page.mouse.wheel(0, -20_000)
                # A window as high as the page: what is out of view is not drawn.
                whole = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": whole})
                time.sleep(_SETTLED)
                taken = target / f"{state}-{name}-{size}-{theme}.png"
                page.screenshot(path=taken)
                yield taken
            context.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
