"""Banks, accounts and transactions: pages, the actions on them, and the panels that follow."""

from flask import Flask

from .blueprint import blueprint, polled
from .connections import connection_pages
from .pulls import actions, fragments
from .recurring import recurring_pages
from .reports import pages
from .transactions import category_labels, edit_actions, explorer, exports

__all__ = [
    "actions",
    "connection_pages",
    "edit_actions",
    "explorer",
    "exports",
    "fragments",
    "pages",
    "recurring_pages",
]


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.register_blueprint(polled)
    category_labels.init_app(app)
    app.add_url_rule("/", "index", pages.index)
