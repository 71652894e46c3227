"""Sign-up, log-in, log-out and the account. `access` tells other packages who is logged in."""

from flask import Flask

from . import current_session, devices, routes
from .blueprint import blueprint

__all__ = ["devices", "init_app", "routes"]  # importing them registers their routes


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    current_session.init_app(app)
