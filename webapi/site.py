"""The pages for people, and what they load."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request
from werkzeug.exceptions import NotFound

from webapi import dashboard, docs, reply
from webapi.dashboard import Setup
from webapi.endpoints import ENDPOINTS

_HTML, _JSON = "text/html", "application/json"


class Site:
    """One method a page. None of them has a line or a number of the pipeline in it."""

    def __init__(self, setup: Setup, keys: bool) -> None:
        """With `keys`, questions need one."""
        self._setup = setup
        self._keys = keys

    def index(self) -> Response:
        """The dashboard for who takes HTML, and for everybody else what there is."""
        # Of what is wanted equally, as by curl, the first.
        if request.accept_mimetypes.best_match((_JSON, _HTML)) == _HTML:
            answer = self._dashboard("/")
        else:
            paths = [endpoint.path for endpoint in ENDPOINTS if endpoint.path != "/"]
            answer = reply.json({"name": "tally", "endpoints": paths})
        answer.vary.add("Accept")
        return answer

    def pipeline(self) -> Response:
        """The dashboard's other page."""
        return self._dashboard("/pipeline")

    def docs(self) -> Response:
        """The API's document, for people."""
        return _page(docs.page(), docs.POLICY)

    def no_asset(self, tree: str, name: str) -> Response:
        """Any other path than those that `static_files` answers. Raises NotFound."""
        raise NotFound(f"there is no {name[:200]}; a page that was loaded anew names those of {tree[:40]}'s successor")

    def _dashboard(self, path: str) -> Response:
        host = urlsplit(f"//{request.host}").hostname or "127.0.0.1"
        name = f"[{host}]" if ":" in host else host
        return _page(dashboard.page(path, self._setup, name, self._keys), dashboard.POLICY)


def _page(text: str, policy: str) -> Response:
    answer = Response(text, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = policy
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return answer
