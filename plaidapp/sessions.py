"""Flask's sessions in signed cookies, except that static files leave the cookie alone."""

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import URLSafeTimedSerializer


def init_app(app: Flask) -> None:
    app.session_interface = Sessions()


class Sessions(SecureCookieSessionInterface):
    _serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Make the serializer once: making it takes a fifth of the time of reading a session."""
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Leave the answer for a static file as it is.

        Flask would add `Vary: Cookie`, and a new cookie would make browsers fetch the file again.
        """
        if request.endpoint != "static" or response.status_code >= 400:
            super().save_session(app, session, response)
