"""Banks, accounts and transactions: pages, the actions on them, and the panels that follow."""

from flask import Flask

from . import (
    actions,
    categories,
    connections,
    edits,
    explorer,
    exports,
    fragments,
    pages,
    recurring,
    webhooks,
)
from .blueprint import blueprint, polled

__all__ = [
    "actions",
    "connections",
    "edits",
    "explorer",
    "exports",
    "fragments",
    "pages",
    "recurring",
    "webhooks",
]


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.register_blueprint(polled)
    app.register_blueprint(webhooks.blueprint)
    categories.init_app(app)
    app.extensions["webhook keys"] = {}
    app.add_url_rule("/", "index", pages.index)
