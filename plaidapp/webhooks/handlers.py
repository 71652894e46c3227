"""One handler per webhook code.

A handler gets what was read of the Item, and the event. It changes rows in the caller's transaction
and returns the pull to ring for, if any.
"""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from plaidapp.bank import payloads
from plaidapp.bank.error_sentences import MEANINGS, PERMISSION_REVOKED, PROBLEM
from plaidapp.bank.errors import from_plaid
from plaidapp.bank.payloads import Event
from plaidapp.extensions import db
from plaidapp.jobs.connections import item_state, link_looks, update_mode
from plaidapp.jobs.connections.item_state import ENDS_SOON
from plaidapp.jobs.pulls import item_requests
from plaidapp.store import Item, LinkSession, Pull
from plaidapp.store.connections import (
    accounts,
    bank_status,
    former_accounts,
    item_states,
    state_changes,
)
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from plaidapp.store.webhooks.deliveries import NamedItem
from plaidapp.texts import gettext_noop

EXPIRES_ON = gettext_noop("Access to this bank ends on %(day)s. Log in again to keep it.")

Named = Item | NamedItem
Handler = Callable[[Named, Event], Pull | None]
LinkHandler = Callable[[LinkSession], Pull | None]


def _sync(item: Named, _event: Event) -> Pull | None:
    if item.state == item_states.REVOKED:
        return None
    return item_requests.sync(item, pulls.WEBHOOK)


def _read_recurring(item: Named, _event: Event) -> Pull | None:
    """Until the history is complete, do nothing: the sync that completes it asks then."""
    if item.state in item_states.NOT_SYNCED or item.update_status != item_states.COMPLETE:
        return None
    return item_requests.recurring(item, pulls.WEBHOOK)


def _ignore(_item: Named, _event: Event) -> None:
    """The webhook is stored; there is nothing else to do."""


def _set_state(item: Named, state: str, code: str | None, sentence: str | None) -> None:
    state_changes.set_state(item.id, state, code, sentence)
    users.ledger_changed(item.user_id)


def _error(item: Named, event: Event) -> None:
    """Plaid may leave `error` out, or send something other than an object."""
    if not isinstance(event.error, payloads.PlaidError):
        _set_state(item, item_states.ERROR, None, PROBLEM.sentence)
        item_requests.standby(item.id)
        item_requests.status(item)
        return
    item_state.store(db.session.get_one(Item, item.id), from_plaid(event.error, status=400))
    users.ledger_changed(item.user_id)


def _repaired(item: Named, _event: Event) -> Pull | None:
    update_mode.mend(db.session.get_one(Item, item.id))
    return item_requests.sync(item, pulls.WEBHOOK)


def _new_accounts(item: Named, event: Event) -> None:
    if item.state == item_states.GOOD:
        sentence = gettext_noop("The bank has new accounts to share.")
        _set_state(item, item_states.NEW_ACCOUNTS, event.webhook_code, sentence)


def _expiring(item: Named, event: Event) -> None:
    if item.state in item_states.NOT_SYNCED:  # it has ended already
        return
    named = event.consent_expiration_time or event.disconnect_time
    until = _moment(named, users.zone_of(item.user_id))
    bank_status.save_expiry(item.id, until, event.reason)
    sentence = EXPIRES_ON % {"day": until.date().isoformat()} if until else ENDS_SOON
    _set_state(item, item_states.EXPIRING, event.webhook_code, sentence)


def _moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    """Read a moment that Plaid names, in the person's time zone, which one without a zone is in."""
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError):  # Python's dates end with the year 9999
        return None


def _revoked(item: Named, event: Event) -> None:
    sentence = MEANINGS[PERMISSION_REVOKED].sentence
    _set_state(item, item_states.REVOKED, event.webhook_code, sentence)
    item_requests.standby(item.id)


def _account_revoked(item: Named, event: Event) -> None:
    if event.account_id:
        users.lock_ledger(item.user_id)
        accounts.close(item.id, event.account_id)
        former_accounts.end(item.id, event.account_id)
        item_requests.standby(item.id)
        users.ledger_changed(item.user_id)


def _look(session: LinkSession) -> Pull | None:
    """The webhook only says that there is something to look at: its tokens are not used."""
    return link_looks.request(session, pulls.WEBHOOK)


LINK_HANDLERS: dict[tuple[str, str], LinkHandler] = {
    ("LINK", "SESSION_FINISHED"): _look,
    ("LINK", "ITEM_ADD_RESULT"): _look,
    ("LINK", "EVENTS"): _look,
}
"""For webhooks that name a session of Link and no Item."""
HANDLERS: dict[tuple[str, str], Handler] = {
    ("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE"): _sync,
    ("TRANSACTIONS", "INITIAL_UPDATE"): _sync,
    ("TRANSACTIONS", "HISTORICAL_UPDATE"): _sync,
    ("TRANSACTIONS", "DEFAULT_UPDATE"): _sync,
    ("TRANSACTIONS", "TRANSACTIONS_REMOVED"): _sync,
    ("TRANSACTIONS", "RECURRING_TRANSACTIONS_UPDATE"): _read_recurring,
    ("ITEM", "ERROR"): _error,
    ("ITEM", "LOGIN_REPAIRED"): _repaired,
    ("ITEM", "NEW_ACCOUNTS_AVAILABLE"): _new_accounts,
    ("ITEM", "PENDING_EXPIRATION"): _expiring,
    ("ITEM", "PENDING_DISCONNECT"): _expiring,
    ("ITEM", "USER_PERMISSION_REVOKED"): _revoked,
    ("ITEM", "USER_ACCOUNT_REVOKED"): _account_revoked,
    ("ITEM", "WEBHOOK_UPDATE_ACKNOWLEDGED"): _ignore,
}
TELLS_STATE = {
    *("ERROR", "NEW_ACCOUNTS_AVAILABLE", "PENDING_EXPIRATION", "PENDING_DISCONNECT"),
    "USER_PERMISSION_REVOKED",
}
"""Codes that say how an Item is at the moment. What came later about it may say otherwise."""


def read(body: bytes) -> Event:
    """Return an empty event, for which there is no handler, if the body is not as documented."""
    if rb"\u0000" in body:  # PostgreSQL stores no text with a NUL
        return Event()
    try:
        return msgspec.json.decode(body, type=Event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Event()


def is_known(event: Event) -> bool:
    """Is there anything to do when this comes?"""
    return _name(event) in HANDLERS or _name(event) in LINK_HANDLERS


def handle(event: Event, item: Named | None, session: LinkSession | None) -> Pull | None:
    """Change what the event changes; return the pull to ring for after the commit, if any."""
    handler, link_handler = HANDLERS.get(_name(event)), LINK_HANDLERS.get(_name(event))
    if handler and item and item.state != item_states.REPLACED:
        return handler(item, event)
    if link_handler and session:
        return link_handler(session)
    return None


def _name(event: Event) -> tuple[str, str]:
    return event.webhook_type or "", event.webhook_code or ""
