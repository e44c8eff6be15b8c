"""Logging in with an API key, out, and whether somebody is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, request
from werkzeug.exceptions import Conflict

from pipeline.keyring import ADMIN, Keyring
from pipeline.moment import rfc3339
from webapi import reply
from webapi.answers.session import Login
from webapi.own_page import is_this_machine
from webapi.session import SECONDS, Session
from webapi.sessions import COOKIE, Sessions
from webapi.streams import Places


class Door:
    """One method a page; without a keyring nobody needs to log in, and nobody can."""

    def __init__(self, keyring: Keyring | None, sessions: Sessions | None, bodies: Places) -> None:
        """`bodies` are the places for those that are waited for."""
        self._keyring = keyring
        self._sessions = sessions
        self._bodies = bodies

    def session(self) -> Response:
        """Who is logged in."""
        session = self._sessions.found(request.cookies.get(COOKIE, "")) if self._sessions else None
        return reply.json(self._told(session))

    def login(self) -> Response:
        """Begins a session for who sends a key that may read."""
        if self._sessions is None:
            raise Conflict("no API keys are required here: there is nothing to log in to")
        text, session = self._sessions.begin(reply.body(Login, self._bodies).key)
        answer = reply.json(self._told(session))
        answer.set_cookie(COOKIE, text, max_age=SECONDS, secure=_is_secure(), httponly=True, samesite="Strict")
        return answer

    def logout(self) -> Response:
        """Has the browser forget its session."""
        answer = reply.json(self._told(None))
        answer.delete_cookie(COOKIE, secure=_is_secure(), httponly=True, samesite="Strict")
        return answer

    def _told(self, session: Session | None) -> dict[str, Any]:
        if self._keyring is None:
            may_change = is_this_machine(request.host)
            return {"required": False, "key": None, "scopes": (), "ends_at": None, "may_change": may_change}
        key = self._keyring.key(session.public_id) if session else None
        if session is None or key is None:
            return {"required": True, "key": None, "scopes": (), "ends_at": None, "may_change": False}
        return {
            "required": True,
            "key": key.public_id,
            "scopes": sorted(key.scopes),
            "ends_at": rfc3339(datetime.fromtimestamp(session.until, UTC)),
            "may_change": ADMIN in key.scopes,
        }


def _is_secure() -> bool:
    """Whether the browser speaks TLS, to us or to a proxy in front of us."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"
