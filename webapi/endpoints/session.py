"""Endpoints of logging in and out."""

from __future__ import annotations

from typing import Final

from webapi.answers.session import Login, SessionAnswer
from webapi.endpoints.endpoint import Endpoint, json_of

SESSION: Final = (
    Endpoint(
        path="/session",
        scope=None,
        group="Session",
        summary="Whether keys are required, and who is logged in",
        description="As the request's cookie says it. A program needs no session, but a key in `Authorization`.",
        answers=json_of(SessionAnswer, "The session, or that there is none."),
        example="/session",
    ),
    Endpoint(
        path="/login",
        method="POST",
        scope=None,
        group="Session",
        summary="Log in with an API key",
        description=(
            "For pages: a key that may read begins a session of twelve hours, in a cookie that scripts do not see and"
            " other sites do not send. It ends with the key."
        ),
        body=Login,
        sent='{"key": "tally_…"}',
        answers=json_of(SessionAnswer, "The session has begun.", "Set-Cookie"),
        problems=(400, 401, 403, 409, 415, 429),
        example="/login",
    ),
    Endpoint(
        path="/logout",
        method="POST",
        scope=None,
        group="Session",
        summary="Log out",
        description="Has the browser forget its session.",
        answers=json_of(SessionAnswer, "There is none any more.", "Set-Cookie"),
        problems=(403, 415),
        example="/logout",
    ),
)
