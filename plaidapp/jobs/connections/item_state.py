"""Store what an error means for an Item."""

from plaidapp.bank.error_sentences import LOGIN_REQUIRED, MEANINGS, PERMISSION_REVOKED
from plaidapp.bank.errors import BankError
from plaidapp.store import Item
from plaidapp.store.connections import bank_status, item_states, state_changes, sync_progress
from plaidapp.texts import gettext_noop

from ..pulls import item_requests

ENDS_SOON = gettext_noop("Access to this bank ends soon. Log in again to keep it.")
IS_DOWN = "INSTITUTION_DOWN"
STATES = {LOGIN_REQUIRED: item_states.LOGIN_REQUIRED, PERMISSION_REVOKED: item_states.REVOKED}


def set_error(item_id: int, error: BankError) -> None:
    """Store an error that waiting won't end. Pages show its sentence and what helps."""
    state = STATES.get(error.code, item_states.ERROR)
    state_changes.set_state(item_id, state, error.code, error.message)
    item_requests.standby(item_id)


def store(item: Item, error: BankError) -> None:
    """Store the error that Plaid reports of an Item."""
    if error.retryable:
        set_failing(item, error)
    else:
        set_error(item.id, error)


def set_failing(item: Item, error: BankError) -> None:
    """Store an error that may pass. If it lasts, Plaid is asked what it knows of Item and bank."""
    code, sentence = error.code, error.message
    if bank_status.is_down(item.institution_id):
        code, sentence = IS_DOWN, MEANINGS[IS_DOWN].sentence
    sync_progress.failing(item.id, code, sentence, error.wait)
    if bank_status.is_due(item):
        item_requests.status(item)
