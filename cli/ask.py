"""Questions to the web API, over HTTP as anybody would ask them; what goes wrong has the exit code that says so."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from cli.inert import inert
from pipeline.errors import TallyError

# Seconds until an answer begins; the web API itself gives up on its database sooner.
PATIENCE = 60.0
_AWAY = frozenset({429, 502, 503, 504})

Query = Mapping[str, object]


class QuestionError(TallyError):
    """The web API does not understand the question; the message says what it expects."""

    exit_code = 2


class AnswerError(TallyError):
    """The web API answered, and not as it should."""


class AwayError(TallyError):
    """The web API, or what it needs, does not answer now; `after` is in how many seconds it said to ask again, or 0."""

    exit_code = 69

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class WebApi:
    """A web API at an address; each question is a connection of its own."""

    def __init__(self, url: str, api_key: str | None = None) -> None:
        """`url` is `http://host:port`, with a path where a proxy puts it below one. Raises QuestionError."""
        self._authorization = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.url = url.rstrip("/")
        try:
            parts = urlsplit(self.url)
            self._address = parts.hostname or "", parts.port
        except ValueError:
            raise QuestionError(f"not an address of a web API: {inert(url)}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
            raise QuestionError(f"expected a URL such as http://127.0.0.1:8081, found {inert(url)}")
        self._path = parts.path
        self._connection = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    def get(self, page: str, query: Query) -> bytes:
        """The JSON of a page, as it was sent; parameters that are None are left out.

        Raises QuestionError, AnswerError, AwayError.
        """
        with self.open(page, query, PATIENCE) as answer:
            try:
                return answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise AwayError(f"{self.url} ended in the middle of its answer: {_said(error)}") from None

    @contextmanager
    def open(
        self, page: str, query: Query, patience: float, headers: Mapping[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """A 200 whose body is still to be read, for at most `patience` seconds a read; raises as `get` does."""
        given = {name: value for name, value in query.items() if value is not None}
        target = f"{self._path}{page}?{urlencode(given)}" if given else f"{self._path}{page}"
        host, port = self._address
        with closing(self._connection(host, port, timeout=patience)) as connection:
            try:
                connection.request("GET", target, headers={**self._authorization, **(headers or {})})
                answer = connection.getresponse()
                problem = b"" if answer.status == HTTPStatus.OK else answer.read()
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise AwayError(
                    f"no web API answers at {self.url}: {_said(error)}\n"
                    "`tally up` starts one here; --url, or WEBAPI_HOST and WEBAPI_PORT, say where another is"
                ) from None
            with answer:
                if answer.status != HTTPStatus.OK:
                    raise _told(self.url, answer.status, problem, answer.headers.get("Retry-After") or "")
                if answer.headers.get_content_type() not in ("application/json", "text/event-stream"):
                    raise AnswerError(f"{self.url} answers, and not as a web API of Tally's: is the address right?")
                yield answer


def understood(body: bytes, *keys: str) -> Any:
    """An answer's JSON: an object that has these keys. Raises AnswerError."""
    try:
        content = json.loads(body)
    except ValueError:
        raise AnswerError("the web API's answer is not JSON") from None
    if not isinstance(content, dict) or not content.keys() >= set(keys):
        raise AnswerError(f"the web API's answer is of another version: it has no {' and '.join(keys)}")
    return content


def _told(url: str, status: int, body: bytes, retry_after: str) -> TallyError:
    """The error that a problem (RFC 9457) tells, or anything else that is not a 200."""
    try:
        problem = json.loads(body)
        lines = [f"{url}: {problem['detail']}" if status in _AWAY else str(problem["detail"])]
        faults = [f"{fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", ())]
    except (ValueError, LookupError, TypeError, AttributeError):
        lines, faults = [f"{url} answered {status}, and not as a web API of Tally's: is the address right?"], []
    lines += [fault for fault in faults if fault not in lines]
    if status in (401, 403):
        lines.append("API_KEY is the key that is sent")
    if status in _AWAY:
        after = int(retry_after) if re.fullmatch("[0-9]{1,6}", retry_after) else 0
        return AwayError("\n".join(map(inert, lines)), after)
    return (QuestionError if status in (400, 422) else AnswerError)("\n".join(map(inert, lines)))


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return inert(str(error) or type(error).__name__)
