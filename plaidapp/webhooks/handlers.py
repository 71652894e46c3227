"""One handler per webhook code.

A handler gets the Item and the event, changes rows in the caller's transaction, and returns the
pull to ring for, if any.
"""

from collections.abc import Callable
from datetime import datetime

from plaidapp.bank import payloads
from plaidapp.bank.errors import from_plaid
from plaidapp.bank.payloads import Event
from plaidapp.jobs.connections import item_state, link_looks
from plaidapp.jobs.pulls import item_requests
from plaidapp.store import Item, LinkSession, Pull
from plaidapp.store.connections import accounts, former_accounts, item_states, state_changes
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from plaidapp.texts import gettext_noop

EXPIRES_ON = gettext_noop("Access to this bank ends on %(day)s. Log in again to keep it.")
EXPIRES_SOON = gettext_noop("Access to this bank ends soon. Log in again to keep it.")

Handler = Callable[[Item, Event], Pull | None]
LinkHandler = Callable[[LinkSession], Pull | None]


def _sync(item: Item, _event: Event) -> Pull | None:
    if item.state == item_states.REVOKED:
        return None
    return item_requests.sync(item, pulls.WEBHOOK)


def _read_recurring(item: Item, _event: Event) -> Pull | None:
    """Until the history is complete, do nothing: the sync that completes it asks then."""
    if item.state in item_states.NOT_SYNCED or item.update_status != item_states.COMPLETE:
        return None
    return item_requests.recurring(item, pulls.WEBHOOK)


def _ignore(_item: Item, _event: Event) -> None:
    """The webhook is stored; there is nothing else to do."""


def _set_state(item: Item, state: str, code: str | None, sentence: str | None) -> None:
    state_changes.set_state(item.id, state, code, sentence)
    users.ledger_changed(item.user_id)


def _error(item: Item, event: Event) -> None:
    """Plaid may leave `error` out, or send something other than an object."""
    if not isinstance(event.error, payloads.PlaidError):
        _set_state(
            item,
            item_states.ERROR,
            None,
            gettext_noop("The bank reports a problem with this connection."),
        )
        item_requests.standby(item.id)
        return
    item_state.set_error(item.id, from_plaid(event.error, status=400))
    users.ledger_changed(item.user_id)


def _repaired(item: Item, _event: Event) -> Pull | None:
    _set_state(item, item_states.GOOD, None, None)
    return item_requests.sync(item, pulls.WEBHOOK)


def _new_accounts(item: Item, event: Event) -> None:
    if item.state == item_states.GOOD:
        sentence = gettext_noop("The bank has new accounts to share.")
        _set_state(item, item_states.NEW_ACCOUNTS, event.webhook_code, sentence)


def _expiring(item: Item, event: Event) -> None:
    if item.state in item_states.NOT_SYNCED:  # it has ended already
        return
    until = _day(event.consent_expiration_time or event.disconnect_time, item.user_id)
    sentence = EXPIRES_ON % {"day": until} if until else EXPIRES_SOON
    _set_state(item, item_states.EXPIRING, event.webhook_code, sentence)


def _day(text: str | None, user_id: int) -> str | None:
    """The person's day of a moment that Plaid names. A moment without a time zone keeps its day."""
    try:
        moment = datetime.fromisoformat(text or "")
        local = moment.astimezone(users.zone_of(user_id)) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # Python's dates end with the year 9999
        return None
    return local.date().isoformat()


def _revoked(item: Item, event: Event) -> None:
    sentence = gettext_noop("You revoked access to this bank. Your stored data stays here.")
    _set_state(item, item_states.REVOKED, event.webhook_code, sentence)
    item_requests.standby(item.id)


def _account_revoked(item: Item, event: Event) -> None:
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
