"""Banks, accounts and transactions: pages, the actions on them, and the panels that follow."""

from flask import Flask

from . import actions, exports, fragments, pages
from .blueprint import blueprint

__all__ = ["actions", "exports", "fragments", "pages"]


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.add_url_rule("/", "index", pages.index)
