"""Whatever goes wrong, told as a problem (RFC 9457) that names what the client or the operator can change."""

from __future__ import annotations

import peewee
import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, TooManyRequests

from pipeline.errors import BadParameter, Denied, Refused, TooSlow, Unavailable
from pipeline.keyring import SCHEME
from pipeline.problem import CONTENT_TYPE, Fault, Problem, problem
from webapi.endpoints import ENDPOINTS

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 2


def register(app: Flask) -> None:
    """Has every exception of a request end in a problem."""
    app.register_error_handler(BadParameter, _bad_parameter)
    app.register_error_handler(Denied, _denied)
    app.register_error_handler(HTTPException, _http)
    for known in (Unavailable, TooSlow, peewee.DatabaseError):
        app.register_error_handler(known, _again_later)
    app.register_error_handler(Exception, _unforeseen)


def problem_of(error: Exception, where: str) -> Problem:
    """What went wrong at a path, or in a part of its answer; logs it, too."""
    return problem(*_told(error, where), where, request_id=g.get("request_id"))


def _answer(status: int, detail: str, *faults: Fault) -> Response:
    return _response(problem(status, detail, request.path, request_id=g.get("request_id"), errors=faults))


def _response(said: Problem) -> Response:
    return Response(said.body(), said.status, content_type=CONTENT_TYPE)


def _bad_parameter(error: BadParameter) -> Response:
    return _answer(400, str(error), Fault(error.name, error.detail, error.character))


def _denied(error: Denied) -> Response:
    answer = _answer(error.status, error.detail)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = SCHEME
    if error.retry_after:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status == 404 and request.url_rule is None:
        return _answer(404, f"nothing is here; there are {', '.join(endpoint.path for endpoint in ENDPOINTS)}")
    answer = _answer(status, error.description or error.name)
    if isinstance(error, MethodNotAllowed):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    if isinstance(error, TooManyRequests) and error.retry_after:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _again_later(error: Exception) -> Response:
    answer = _response(problem_of(error, request.path))
    answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def _unforeseen(error: Exception) -> Response:
    return _response(problem_of(error, request.path))


def _told(error: Exception, where: str) -> tuple[int, str]:
    if isinstance(error, (Refused, peewee.DatabaseError)):
        # It answers, and refuses: an account, tables that `tally migrate` has not made yet, a full disk.
        log.error("not answered", error=str(error), path=where, exc_info=error)
        return 503, "the database refuses the question; its log and `tally migrate` may help"
    if isinstance(error, Unavailable):
        log.warning("not answered", error=str(error), path=where)
        return 503, f"the {error.dependency} does not answer now; ask again in a moment"
    if isinstance(error, TooSlow):
        log.warning("not answered", error=str(error), path=where)
        what = f"the database did not find it within {error.seconds:g} s"
        return 503, f"{what}; narrow from and to, filter by status or route, follow meta.next, not offset"
    log.error("a request failed", path=where, exc_info=error)
    return 500, "this is a fault of ours, and it was logged under this request_id"
