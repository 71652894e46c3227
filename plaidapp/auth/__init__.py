"""Sign-up, log-in and log-out. `access` tells other packages who is logged in."""

from flask import Flask

from .routes import blueprint


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
