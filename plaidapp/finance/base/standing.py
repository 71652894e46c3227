"""What is true of a connection now. Every line of a page that says so goes by this.

standing_lines.py has what a page says of each standing.
"""

from collections.abc import Sequence

from plaidapp import policy
from plaidapp.bank.error_sentences import DOWN, MEANINGS, Remedy, is_limit
from plaidapp.store import Item
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.transactions import set_aside

from .blueprint import blueprint

LOGIN_REQUIRED = "login_required"
"""The person has to log in again."""
REVOKED = "revoked"
"""The person or the bank withdrew the permission."""
ENDED = "ended"
"""The connection is over at Plaid: the bank has to be connected again."""
NO_ACCOUNTS = "no_accounts"
"""It has an error that ends when the person shares other accounts."""
EXPIRING = "expiring"
"""It works until a day that the bank has named."""
NEW_ACCOUNTS = "new_accounts"
"""It works, and the bank has more accounts to share."""
ERROR = "error"
"""It has an error that waiting won't end."""
OPERATOR = "operator"
"""It has an error that only the operator can end."""
NOT_SUPPORTED = "not_supported"
"""Plaid does not support this bank, or this log-in, or no longer does."""
RATE_LIMITED = "rate_limited"
"""Plaid limits requests for now."""
BANK_DOWN = "bank_down"
"""The bank does not work now, at least not for Plaid."""
FAILING = "failing"
"""The last sync failed for another reason that may pass, and is tried again."""
CONNECTING = "connecting"
"""The bank has not answered yet."""
IMPORTING = "importing"
"""The bank has not sent its whole history yet."""
SILENT = "silent"
"""It is synced, but Plaid has got nothing from the bank for days."""
OUTDATED = "outdated"
"""The last sync is too long ago."""
WITHOUT_ROWS = "without_rows"
"""The bank does not offer transactions."""
UPDATING = "updating"
"""A sync was requested and is not finished."""
CURRENT = "current"
DISCONNECTING = "disconnecting"
"""The person has disconnected it, and Plaid has not confirmed that yet."""
DISCONNECTED = "disconnected"
"""The person has disconnected it and keeps its history."""
REPLACED = "replaced"
"""The person has connected the bank again."""

NEEDS_PERSON = (LOGIN_REQUIRED, REVOKED, ENDED, NO_ACCOUNTS, EXPIRING, NEW_ACCOUNTS)
"""The first is the most urgent."""
BY_URGENCY = (
    *NEEDS_PERSON[:-1],
    *(ERROR, OPERATOR, NOT_SUPPORTED, BANK_DOWN, RATE_LIMITED, FAILING),
    *(NEW_ACCOUNTS, CONNECTING, IMPORTING, OUTDATED, SILENT, WITHOUT_ROWS, UPDATING, CURRENT),
    *(DISCONNECTING, DISCONNECTED, REPLACED),
)
_OF_STATE = {
    item_states.LOGIN_REQUIRED: LOGIN_REQUIRED,
    item_states.REVOKED: REVOKED,
    item_states.EXPIRING: EXPIRING,
    item_states.DISCONNECTING: DISCONNECTING,
    item_states.DISCONNECTED: DISCONNECTED,
    item_states.REPLACED: REPLACED,
}
_OF_REMEDY = {
    Remedy.WAIT: ERROR,
    Remedy.LOG_IN: LOGIN_REQUIRED,
    Remedy.CHOOSE_ACCOUNTS: NO_ACCOUNTS,
    Remedy.CONNECT: ENDED,
    Remedy.OPERATOR: OPERATOR,
    Remedy.NONE: NOT_SUPPORTED,
}


@blueprint.app_template_filter()
def standing(item: Item) -> str:
    """Return one of the constants above."""
    if item.state == item_states.REVOKED and _is_over(item):
        return ENDED
    if item.state in _OF_STATE:
        return _OF_STATE[item.state]
    if item.state == item_states.ERROR:
        return _of_error(item.error_code)
    if item.failing_since:
        return _of_failure(item.failing_code)
    if item.state == item_states.NEW_ACCOUNTS:
        return NEW_ACCOUNTS
    return _of_progress(item)


def _is_over(item: Item) -> bool:
    """The permission was withdrawn, and Plaid does not let the person give it again."""
    return not item.access_token or _of_error(item.error_code) == ENDED


def _of_error(code: str | None) -> str:
    if code is None or code not in MEANINGS:
        return ERROR
    return _OF_REMEDY[MEANINGS[code].remedy]


def _of_failure(code: str | None) -> str:
    if code and is_limit(code):
        return RATE_LIMITED
    return BANK_DOWN if code in DOWN else FAILING


def _of_progress(item: Item) -> str:
    if item.sync_refusal:
        return WITHOUT_ROWS
    if item.preparing_since or (item.synced_at and item.update_status != item_states.COMPLETE):
        return IMPORTING
    if item.synced_at is None:
        return CONNECTING
    if item.synced_at < now() - policy.CURRENT_FOR:
        return OUTDATED
    if item.is_behind:
        return UPDATING
    return SILENT if _is_silent(item) else CURRENT


def _is_silent(item: Item) -> bool:
    """Plaid has got nothing from the bank for long, and was asked about that not long ago."""
    if item.bank_updated_at is None or item.status_read_at is None:
        return False
    moment, last = now(), max(item.bank_updated_at, item.changed_at or item.bank_updated_at)
    is_known = item.status_read_at >= moment - 2 * policy.STATUS_INTERVAL
    return is_known and last < moment - policy.SILENT_AFTER


@blueprint.app_template_filter()
def most_urgent(connected: Sequence[Item]) -> Item | None:
    """Return the connection that a page has to mention first; None if there is none."""
    return min(connected, key=lambda item: BY_URGENCY.index(standing(item)), default=None)


@blueprint.app_template_filter()
def first_with_unread(connected: Sequence[Item], kind: str) -> Item | None:
    """Return the first connection that has sent rows of this kind that could not be read."""
    first = set_aside.first_with([item.id for item in connected], kind)
    return next((item for item in connected if item.id == first), None)


@blueprint.app_template_filter()
def any_incomplete(connected: Sequence[Item]) -> bool:
    """Return True if more of some bank's history will come, so that figures are "so far"."""
    return any(
        item.update_status != item_states.COMPLETE
        and not item.sync_refusal
        and item.state not in item_states.ENDED
        for item in connected
    )
