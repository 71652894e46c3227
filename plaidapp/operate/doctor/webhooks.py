"""Checks of the way from Plaid to this app."""

import json
import threading
import time
from datetime import datetime
from urllib.parse import urlsplit

from flask_babel import lazy_gettext
from urllib3.exceptions import HTTPError

from plaidapp import policy
from plaidapp.bank.errors import BankError
from plaidapp.bank.transport import BoundedPool
from plaidapp.extensions import db
from plaidapp.store import Item
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, overview
from plaidapp.store.webhooks import deliveries

from .plaid import bank, config, refused
from .result import Verdict, bad, good, unknown

LOOK_AGAIN = 0.1
SMALL = 64 * 1024
NOT_SET = lazy_gettext("PUBLIC_URL is not set, so Plaid sends no webhooks. The clock syncs daily.")
NOT_REACHED = lazy_gettext(
    "Look at DNS, firewall, certificate and proxy, and in the log for “A webhook was refused”."
)


def own_address(patience: float) -> Verdict:
    """Does PUBLIC_URL lead here? This machine asks, which proves less than Plaid's webhook."""
    public = config().public_url
    if public is None:
        return unknown(NOT_SET)
    host = urlsplit(public).netloc
    try:
        answer = BoundedPool(patience, largest=SMALL).request("GET", f"{public}/healthz")
        is_ours = answer.status == 200 and json.loads(answer.data) == {"status": "ok"}
    except (HTTPError, OSError) as error:
        return bad(
            lazy_gettext(
                "%(host)s can’t be reached from this machine (%(problem)s).",
                host=host,
                problem=type(error).__name__,
            ),
            NOT_REACHED,
        )
    except ValueError:
        is_ours = False
    if not is_ours:
        return bad(
            lazy_gettext("Something other than this app answers at %(host)s.", host=host),
            lazy_gettext("Set PUBLIC_URL to where people reach this app."),
        )
    return good(
        lazy_gettext(
            "This app answers at %(host)s: name, certificate and proxy work as seen from this"
            " machine.",
            host=host,
        )
    )


def last(_patience: float) -> Verdict:
    """Did a webhook come lately?"""
    latest = deliveries.latest(1)
    received = latest[0].received_at if latest else None
    states = overview.by_state()
    active = sum(states.get(state, 0) for state in item_states.REPORTING)
    oldest = overview.oldest_since(item_states.REPORTING)
    db.session.rollback()
    if config().public_url is None:
        return unknown(NOT_SET)
    if not oldest:
        return unknown(lazy_gettext("There is no connection yet that webhooks could be about."))
    since = max(filter(None, (received, oldest)))
    return _silence(since, received, active)


def _silence(since: datetime, received: datetime | None, active: int) -> Verdict:
    hours = int((now() - since).total_seconds() // 3600)
    if now() - since > policy.webhook_silence(active):
        return bad(
            lazy_gettext(
                "Hours without a webhook: %(hours)s, with working connections: %(active)s.",
                hours=hours,
                active=active,
            ),
            NOT_REACHED,
        )
    if received is None:
        return unknown(lazy_gettext("No webhook has come yet, but there has been little time."))
    return good(lazy_gettext("Hours since the last webhook: %(hours)s.", hours=hours))


def test_webhook(patience: float) -> Verdict:
    """Have Plaid send a webhook, and wait for it. It changes nothing but may start a sync."""
    public = config().public_url
    item = overview.newest(item_states.REPORTING)
    db.session.remove()  # the Item stays loaded, with no transaction open while Plaid is asked
    if public is None:
        return unknown(NOT_SET)
    if item is None:
        return unknown(lazy_gettext("There is no working connection to try it with."))
    ours = f"{public}/webhooks/plaid"
    begun, until = now(), time.monotonic() + patience
    try:
        theirs = bank().webhook_address(item.token, patience)
        if theirs != ours:
            return _elsewhere(item, theirs)
        if config().plaid_env == "sandbox":
            bank().send_test_webhook(item.token, patience)
        else:
            bank().confirm_webhook_address(item.token, ours, patience)
    except BankError as error:
        return refused(error)
    while not _has_come(item.id, begun):
        if time.monotonic() > until:
            return bad(
                lazy_gettext(
                    "Plaid was asked to send a webhook about Item %(id)s. None came within"
                    " %(seconds)s seconds.",
                    id=item.id,
                    seconds=round(patience),
                ),
                NOT_REACHED,
            )
        threading.Event().wait(LOOK_AGAIN)
    return good(lazy_gettext("Plaid’s test webhook arrived, so Plaid reaches this app."))


def _elsewhere(item: Item, theirs: str | None) -> Verdict:
    host = urlsplit(theirs or "").netloc or lazy_gettext("nowhere")
    return bad(
        lazy_gettext(
            "Plaid sends the webhooks of Item %(id)s to another address: %(host)s.",
            id=item.id,
            host=host,
        ),
        lazy_gettext(
            "PUBLIC_URL was different when it was connected. Set it back, or let its person press"
            " Log in again, which tells Plaid the new address."
        ),
    )


def _has_come(item_id: int, begun: datetime) -> bool:
    latest = deliveries.of_item(item_id, 1)
    db.session.remove()
    return bool(latest) and latest[0].received_at >= begun
