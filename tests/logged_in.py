"""A client that is logged in without the log-in page."""

from flask import Flask
from flask.testing import FlaskClient
from flask_login import FlaskLoginClient

from plaidapp.auth.access import LAST_MOMENT, LOGIN
from plaidapp.extensions import db
from plaidapp.store import User
from plaidapp.store.people import login_sessions


def logged_in(app: Flask, user_id: int, *, kept: bool = True) -> FlaskClient:
    """Return a client with a session of its own. By default, it is a kept one."""
    with app.app_context():
        user = db.session.get_one(User, user_id)
        token, last = login_sessions.add(user_id, "Firefox", "Linux", "127.0.0.1", kept=kept)
        db.session.commit()
        db.session.remove()
    client = FlaskLoginClient(app, user=user)
    with client.session_transaction() as session:
        session[LOGIN], session[LAST_MOMENT] = token, last.timestamp()
        session.permanent = kept
    return client
