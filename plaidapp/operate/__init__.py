"""The pages for operators, below /ops: what waits, runs and fails, and what is wrong with the site.

Nobody's money or name is on them. May import `webhooks.replay`, `auth` and what is below.
"""

from flask import Flask

from . import (
    doctor_page,
    item_pages,
    jobs_page,
    overview_page,
    plaid_page,
    pull_pages,
    webhook_pages,
)
from .blueprint import blueprint

__all__ = [
    "doctor_page",
    "init_app",
    "item_pages",
    "jobs_page",
    "overview_page",
    "plaid_page",
    "pull_pages",
    "webhook_pages",
]  # importing them registers their routes


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
