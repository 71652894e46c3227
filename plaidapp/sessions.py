"""Flask's sessions in signed cookies, with names and limits of our own."""

import hashlib
from datetime import UTC, datetime

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import Signer, URLSafeTimedSerializer

from . import policy
from .auth.access import LAST_MOMENT
from .cookies import of_this_host


def init_app(app: Flask) -> None:
    # For all signatures: of the session, of CSRF tokens, of known devices. The default is SHA-1.
    Signer.default_digest_method = staticmethod(hashlib.sha256)
    app.session_interface = Sessions()
    app.config.update(
        SESSION_COOKIE_SAMESITE="Lax",  # with Strict, the return from Plaid would be logged out
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=policy.KEPT_SESSION_TOTAL,  # an older signature is refused
    )


class Sessions(SecureCookieSessionInterface):
    digest_method = staticmethod(hashlib.sha256)
    _serializer: URLSafeTimedSerializer | None = None

    def get_cookie_name(self, app: Flask) -> str:
        return of_this_host("session")

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> datetime | None:
        """A kept log-in ends when it was to end: a new cookie does not prolong it."""
        return datetime.fromtimestamp(session[LAST_MOMENT], UTC) if session.permanent else None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Make the serializer once: making it takes a fifth of the time of reading a session."""
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Leave the answer for a static file as it is.

        Flask would add `Vary: Cookie`, and a new cookie would make browsers fetch the file again.
        The session's cookie is the first of an answer: a simple program looks no further.
        """
        if request.endpoint == "static" and response.status_code < 400:
            return
        super().save_session(app, session, response)
        if session.modified:
            *others, last = response.headers.getlist("Set-Cookie")
            response.headers.setlist("Set-Cookie", [last, *others])
