"""A page of a browser, and everything that it has to complain about."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, Request, Response

# The page itself takes back a question that another one overtook.
_TAKEN_BACK = "net::ERR_ABORTED"


class Watched:
    """The pages of a context, watched: errors of scripts, what the policy refused, requests that failed.

    A test that breaks something says in `expected` which complaints that brings: parts of their texts.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.expected: list[str] = []
        self.requests: list[Request] = []
        self._complaints: list[str] = []
        context.on("weberror", lambda error: self._complaints.append(f"script: {error.error}"))
        context.on("console", lambda said: said.type == "error" and self._complaints.append(f"console: {said.text}"))
        context.on("request", lambda request: self.requests.append(request))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def open(self, url: str) -> Page:
        """A new page at an address, loaded."""
        page = self.context.new_page()
        page.goto(url)
        return page

    def complaints(self) -> list[str]:
        """Those that no test expects."""
        return [one for one in self._complaints if not any(part in one for part in self.expected)]

    def _failed(self, request: Request) -> None:
        if request.failure != _TAKEN_BACK:
            self._complaints.append(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._complaints.append(f"{response.request.method} {response.url}: {response.status}")


def settle(page: Page) -> None:
    """Lets by what is under way on a page whose clock is the test's: a timer, a drawing, an answer."""
    for _ in range(5):
        page.clock.run_for(2_000)
        page.wait_for_timeout(50)
