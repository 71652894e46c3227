"""The Flask app: creates its parts and connects them."""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from sandbox import bank_activity, errors, http_json, items
from sandbox.api import accounts, institutions, link, recurring, testing, transactions
from sandbox.api import items as item_api
from sandbox.context import Clock, Sandbox, utc_now
from sandbox.control import changes, pages
from sandbox.hosted_link import routes
from sandbox.hosted_link import webhooks as link_webhooks
from sandbox.ids import Ids
from sandbox.signing import SigningKey
from sandbox.store import Store
from sandbox.webhook_queue import PLAID_RETRY, OnDue, WebhookQueue

_log = logging.getLogger(__name__)


def create_app(
    *,
    seed: int = 0,
    state: str | Path | None = None,
    clock: Clock = utc_now,
    initial_delay: float = 0.3,
    historical_delay: float = 1.0,
    webhook_retry: Sequence[float] = PLAID_RETRY,
    shuffle_webhooks: bool = False,
) -> Flask:
    """Create a sandbox with its own data.

    `state` is the SQLite file that stores it; without one, the data is lost on close. `clock`
    returns aware datetimes. `initial_delay` and `historical_delay` are the seconds from linking
    until the last 30 days and the whole history are available. `webhook_retry` lists the seconds
    to wait before each further attempt to deliver a webhook; `shuffle_webhooks` delivers them in
    any order. Call `app.extensions["sandbox"].close()` when done.
    """
    store = Store(Path(state) if state else None)
    queue = WebhookQueue(
        store,
        SigningKey(store),
        lambda: clock().timestamp(),
        webhook_retry,
        shuffle=shuffle_webhooks,
    )
    sandbox = Sandbox(seed, Ids(seed), store, queue, clock, initial_delay, historical_delay)

    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = http_json.MAX_BODY
    app.extensions["sandbox"] = sandbox
    apis = (item_api, accounts, transactions, recurring, institutions, link, testing)
    for module in (*apis, routes):
        app.register_blueprint(module.bp)
    app.register_blueprint(pages.bp)
    app.register_error_handler(errors.PlaidError, http_json.reply_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    queue.start(_announcer(sandbox))
    return app


def _announcer(sandbox: Sandbox) -> OnDue:
    def on_due(db: sqlite3.Connection, due: sqlite3.Row) -> None:
        if due["session"]:
            link_webhooks.announce_abandoned(sandbox, db, due["session"])
            return
        item = items.by_number(db, due["item"])
        if item.removed:
            return
        if due["code"] == items.CONSENT_ENDS:
            changes.end_consent(sandbox, db, item)
        else:
            bank_activity.announce_due_update(sandbox, db, item, due["code"])

    return on_due


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        why = f"the request body is longer than {http_json.MAX_BODY} bytes"
        return http_json.reply_error(errors.invalid_body(why, 413))
    if isinstance(error, MethodNotAllowed):
        return http_json.reply_error(errors.not_found("not found: every endpoint is a POST"))
    return http_json.reply_error(errors.not_found())


def _internal_error(error: Exception) -> Response:
    _log.error("unexpected error", exc_info=error)
    return http_json.reply_error(errors.documented("INTERNAL_SERVER_ERROR"))
