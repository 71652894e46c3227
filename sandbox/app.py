"""The Flask app: what is wired to what."""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from sandbox import bank, errors, items, wire
from sandbox.api import accounts, institutions, link, testing, transactions
from sandbox.api import items as item_api
from sandbox.ids import Ids
from sandbox.outbox import PLAID_RETRY, OnMoment, Outbox
from sandbox.signing import SigningKey
from sandbox.store import Store
from sandbox.world import Clock, Sandbox, utc_now

_log = logging.getLogger(__name__)


def create_app(
    *,
    seed: int = 0,
    state: str | Path | None = None,
    clock: Clock = utc_now,
    initial_delay: float = 0.3,
    historical_delay: float = 1.0,
    webhook_retry: Sequence[float] = PLAID_RETRY,
) -> Flask:
    """A Plaid of its own.

    `state` is the SQLite file that keeps it (without one it is forgotten); `clock` returns aware
    datetimes; the delays are seconds from the link to the first 30 days and to all of the history;
    `webhook_retry` holds the seconds before each further attempt at a webhook. Call
    `app.extensions["sandbox"].close()` when done.
    """
    store = Store(Path(state) if state else None)
    outbox = Outbox(store, SigningKey(store), lambda: clock().timestamp(), webhook_retry)
    sandbox = Sandbox(seed, Ids(seed), store, outbox, clock, initial_delay, historical_delay)

    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = wire.MAX_BODY
    app.extensions["sandbox"] = sandbox
    for room in (item_api, accounts, transactions, institutions, link, testing):
        app.register_blueprint(room.bp)
    app.register_error_handler(errors.PlaidError, wire.reply_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    outbox.start(_moments_of(sandbox))
    return app


def _moments_of(sandbox: Sandbox) -> OnMoment:
    def on_moment(db: sqlite3.Connection, number: int, code: str) -> None:
        item = items.by_number(db, number)
        if not item.removed:
            bank.bring(sandbox, db, item, code)

    return on_moment


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        why = f"the request body is longer than {wire.MAX_BODY} bytes"
        return wire.reply_error(errors.invalid_body(why, 413))
    return wire.reply_error(errors.not_found())


def _internal_error(error: Exception) -> Response:
    _log.error("unexpected error", exc_info=error)
    return wire.reply_error(errors.internal_server_error())
