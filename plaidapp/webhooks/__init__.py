"""Plaid's webhooks: verifying, storing and handling them.

May import `jobs`, `bank` and `store`; only the wiring imports it.
"""

from flask import Flask

from . import receive
from .signing_key import KeyCache


def init_app(app: Flask) -> None:
    app.register_blueprint(receive.blueprint)
    app.extensions["webhook_keys"] = KeyCache()
