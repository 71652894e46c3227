"""Plaid's webhooks: checking, keeping and handling them.

May import `jobs`, `bank` and `store`; only the wiring imports it.
"""

from flask import Flask

from . import receive


def init_app(app: Flask) -> None:
    app.register_blueprint(receive.blueprint)
    app.extensions["webhook keys"] = {}
