"""Sign-up, log-in, log-out and the account. `access` tells other packages who is logged in."""

from flask import Flask

from . import (
    account_page,
    activity_page,
    confirmation,
    current_session,
    devices,
    name_change,
    password_change,
    preferences,
    routes,
)
from .blueprint import blueprint

__all__ = [
    "account_page",
    "activity_page",
    "confirmation",
    "devices",
    "init_app",
    "name_change",
    "password_change",
    "routes",
]  # importing them registers their routes


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.register_blueprint(preferences.blueprint)
    current_session.init_app(app)
