"""Run all checks at once, and wait for them only so long."""

import logging
import threading
import time
from collections.abc import Sequence

from flask import Flask
from flask_babel import lazy_gettext
from sqlalchemy.exc import SQLAlchemyError

from plaidapp import extensions
from plaidapp.extensions import db

from . import database, mail, plaid, processes, settings, webhooks
from .result import Check, Result, Verdict, bad, unknown

log = logging.getLogger(__name__)

GROUPS: Sequence[Sequence[Check]] = (
    (
        Check("plaid_keys", lazy_gettext("Plaid’s keys"), plaid.keys),
        Check("plaid_products", lazy_gettext("Plaid’s products"), plaid.products),
        Check("time", lazy_gettext("Time"), plaid.time),
    ),
    (
        Check("plaid_environment", lazy_gettext("Plaid’s environment"), plaid.environment),
        Check("migrations", lazy_gettext("Migrations"), database.migrations),
        Check("token_keys", lazy_gettext("Token keys"), database.token_keys),
        Check("clock", lazy_gettext("Clock"), processes.clock),
        Check("last_webhook", lazy_gettext("Last webhook"), webhooks.last),
    ),
    (Check("own_address", lazy_gettext("Public address"), webhooks.own_address),),
    (Check("test_webhook", lazy_gettext("Test webhook"), webhooks.test_webhook),),
    (
        Check("redis", lazy_gettext("Redis"), processes.keeps_data),
        Check("worker", lazy_gettext("Workers"), processes.worker),
    ),
    (Check("mail", lazy_gettext("Mail"), mail.server),),
    (
        Check("secret_key", lazy_gettext("Secret key"), settings.secret_key),
        Check("addresses", lazy_gettext("Hosts and proxies"), settings.addresses),
        Check("disk", lazy_gettext("Disk space"), settings.disk),
    ),
)
"""Each group runs in a thread of its own, one check after the other, so that few connections to the
database are open at once."""
LATE = lazy_gettext("There was no answer in time.")
LOOK = lazy_gettext("Run the checks again. If it stays so, look at the log and at the network.")
BROKEN = lazy_gettext("This check itself has failed.")


def run(app: Flask, patience: float) -> list[Result]:
    """Return what each check has found, after `patience` seconds at most.

    The caller's transaction should be over. A check may wait for others most of that time.
    """
    until = time.monotonic() + patience
    found: dict[str, Verdict] = {}
    threads = [
        threading.Thread(target=_run_group, args=(app, group, until, found), daemon=True)
        for group in GROUPS
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
    checks = [check for group in GROUPS for check in group]
    late = bad(LATE, LOOK)
    return [Result(check.name, check.title, *found.get(check.name, late)) for check in checks]


def _run_group(app: Flask, group: Sequence[Check], until: float, found: dict[str, Verdict]) -> None:
    with app.app_context():
        extensions.read_one_snapshot()  # keeps nobody from writing, such as the webhook waited for
        for check in group:
            try:
                found[check.name] = check.look(max((until - time.monotonic()) * 0.8, 0.1))
            except SQLAlchemyError:  # the check of migrations says so
                found[check.name] = unknown(database.AWAY)
            except Exception:
                log.exception("The doctor’s check %s failed", check.name)
                found[check.name] = bad(BROKEN, LOOK)
            finally:
                db.session.remove()
